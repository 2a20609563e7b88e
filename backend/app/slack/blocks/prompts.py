"""What a person may begin with: at the top of the Messages tab, and when they call us without a question."""

from dataclasses import dataclass

from app.i18n.language import Language
from app.i18n.messages import message
from app.slack.blocks.parts import Block, actions, button

PROMPT_ACTION = "suggested_prompt_{number}"
COUNT = 4


@dataclass(frozen=True)
class SuggestedPrompt:
    title: str
    text: str


def suggested_prompts(language: Language) -> tuple[SuggestedPrompt, ...]:
    """At most four: Slack shows no more."""
    return tuple(
        SuggestedPrompt(message(f"agent.prompt_{number}_title", language), message(f"agent.prompt_{number}_text", language))
        for number in range(1, COUNT + 1)
    )


def prompt_buttons(language: Language) -> Block:
    """Each opens the question form with its text filled in."""
    return actions(
        *(
            button(prompt.title, action_id=PROMPT_ACTION.format(number=number), value=prompt.text)
            for number, prompt in enumerate(suggested_prompts(language), start=1)
        )
    )
