"""The people and channels everybody finds in the playground."""

from app.playground.small_slack import SmallSlack
from app.playground.state import Workspace

TEAM = "T0DEMO00001"
BOT_TOKEN = "xoxb-playground"  # noqa: S105 - opens the small Slack only
SALES_CHANNEL, RANDOM_CHANNEL = "C0SALES0001", "C0RANDOM001"
KENTA, YOKO, EMILY, XIAOMING, GUEST = "U0KENTA0001", "U0YOKO00001", "U0EMILY0001", "U0XIAOM0001", "U0GUEST0001"


def furnish(slack: SmallSlack, *, bot_token: str = BOT_TOKEN) -> Workspace:
    """A team with two salespeople, their manager, colleagues who read English and Chinese, and a guest who sees one channel."""
    workspace = slack.add_workspace(TEAM, name="デモ商事", bot_token=bot_token)
    workspace.add_user(KENTA, "佐藤 健太", title="法人営業")
    workspace.add_user(YOKO, "鈴木 陽子", is_admin=True, title="営業マネージャー")
    workspace.add_user(EMILY, "Emily Carter", locale="en-US", title="Account Executive")
    workspace.add_user(XIAOMING, "王 小明", locale="zh-CN", time_zone="Asia/Shanghai", title="客户经理")
    workspace.add_user(GUEST, "高橋 翔", is_guest=True, title="協力会社（ゲスト）")
    workspace.add_channel(SALES_CHANNEL, "営業チーム", members={KENTA, YOKO, EMILY, XIAOMING})
    workspace.add_channel(RANDOM_CHANNEL, "random")
    return workspace
