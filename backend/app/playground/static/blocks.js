// Block Kit as elements. `context` gives: world, texts, press(block, element, chosen), and for inputs `readers` to collect values.
import { el, icon } from "./dom.js";
import { markdown, mrkdwn, plainText, richText, table, textObject } from "./text.js";

export function renderBlocks(blocks, context) {
  return blocks.map((block) => el("div", { class: `block block-${block.type}`, "data-block": block.block_id }, renderBlock(block, context)));
}

function renderBlock(block, context) {
  const { world } = context;
  switch (block.type) {
    case "section":
      return el("div", { class: "section-row" },
        el("div", { class: "section-words" },
          block.text ? textObject(block.text, world) : null,
          block.fields ? el("div", { class: "fields" }, block.fields.map((field) => textObject(field, world))) : null),
        block.accessory ? el("div", { class: "accessory" }, renderElement(block.accessory, block, context)) : null);
    case "header":
      return el("h3", {}, plainText(block.text.text));
    case "divider":
      return el("hr");
    case "context":
      return el("div", { class: "context-row" }, block.elements.map((one) => (one.type === "image" ? picture(one, context, "small") : textObject(one, world))));
    case "markdown":
      return markdown(block.text, world);
    case "rich_text":
      return richText(block, world);
    case "actions":
      return el("div", { class: "actions-row" }, block.elements.map((one) => renderElement(one, block, context)));
    case "context_actions":
      return el("div", { class: "actions-row quiet" }, block.elements.map((one) => renderElement(one, block, context)));
    case "input":
      return input(block, context);
    case "image":
      return el("figure", {}, block.title ? el("figcaption", {}, plainText(block.title.text)) : null, picture(block, context));
    case "table":
      return table(null, block.rows, (cell) => (cell.type === "rich_text" ? richText(cell, world) : cell.text));
    case "alert":
      return el("div", { class: `alert ${block.level ?? "info"}` }, textObject(block.text, world));
    default:
      return el("div", { class: "unknown" }, `[${block.type}]`);
  }
}

function picture(image, context, size = "") {
  const address = image.slack_file?.id ?? /\/files\/[^/]+\/([^/]+)\//.exec(image.image_url ?? image.slack_file?.url ?? "")?.[1];
  if (address) return el("img", { class: `picture ${size}`, src: `files/${encodeURIComponent(address)}`, alt: image.alt_text ?? "" });
  return el("span", { class: `no-picture ${size}`, title: context.texts.image_not_shown }, image.alt_text || context.texts.image_not_shown);
}

function input(block, context) {
  const label = el("div", { class: "label" }, plainText(block.label.text), block.optional ? el("span", { class: "optional" }, `（${context.texts.optional}）`) : null);
  const field = renderElement(block.element, block, { ...context, isInput: true });
  return el("label", { class: "input" }, label, field,
    block.hint ? el("div", { class: "hint" }, plainText(block.hint.text)) : null,
    el("div", { class: "problem", role: "alert" }));
}

export function renderElement(element, block, context) {
  const { world, texts } = context;
  switch (element.type) {
    case "button":
    case "workflow_button":
      return button(element, block, context);
    case "feedback_buttons":
      return feedback(element, block, context);
    case "icon_button":
      return el("button", { class: "icon-button", title: element.text?.text, type: "button", onclick: (event) => press(event, element, block, context) }, icon(element.icon === "trash" ? "trash" : "more"));
    case "image":
      return picture(element, context, "small");
    case "overflow":
      return overflow(element, block, context);
    case "static_select":
    case "external_select":
      return select(element, block, context, groupsOf(element));
    case "multi_static_select":
    case "checkboxes":
      return manyOf(element, block, context, element.options ?? element.option_groups?.flatMap((group) => group.options) ?? []);
    case "radio_buttons":
      return oneOf(element, block, context);
    case "users_select":
      return plainSelect(element, block, context, "selected_user", "initial_user",
        Object.values(world.people).filter((one) => !one.is_bot).map((one) => [one.id, one.name]));
    case "conversations_select":
    case "channels_select":
      return plainSelect(element, block, context, element.type === "channels_select" ? "selected_channel" : "selected_conversation",
        element.type === "channels_select" ? "initial_channel" : "initial_conversation",
        world.channels.filter((one) => !one.is_direct).map((one) => [one.id, "#" + one.name]));
    case "datepicker":
      return picker(element, block, context, "date", "selected_date", "initial_date");
    case "timepicker":
      return picker(element, block, context, "time", "selected_time", "initial_time");
    case "plain_text_input":
    case "email_text_input":
    case "url_text_input":
    case "number_input":
      return textInput(element, block, context);
    default:
      return el("span", { class: "unknown" }, `[${element.type}]`, texts.choose ? "" : "");
  }
}

async function press(event, element, block, context, chosen = null) {
  const pressed = event?.currentTarget;
  if (element.confirm && !(await context.confirm(element.confirm))) return;
  if (pressed) pressed.disabled = true;
  try {
    await context.press(block, element, chosen);
  } finally {
    if (pressed) pressed.disabled = false;
  }
}

function button(element, block, context) {
  const made = el("button", {
    type: "button", class: `button ${element.style ?? ""}`, "aria-label": element.accessibility_label, "data-action": element.action_id,
    onclick: (event) => {
      if (element.url) window.open(element.url, "_blank", "noopener");
      press(event, element, block, context);
    },
  }, plainText(element.text.text));
  return made;
}

function feedback(element, block, context) {
  const chosen = context.feedback?.get();
  const one = (button, name, kind) => el("button", {
    type: "button", class: `button feedback ${chosen === kind ? "chosen" : ""}`, "aria-label": button.accessibility_label ?? button.text.text,
    "aria-pressed": String(chosen === kind), "data-action": element.action_id, "data-value": button.value,
    onclick: (event) => {
      context.feedback?.set(kind);
      press(event, element, block, context, { value: button.value, text: button.text });
    },
  }, icon(name), plainText(button.text.text));
  return el("span", { class: "feedback-pair" }, one(element.positive_button, "up", "positive"), one(element.negative_button, "down", "negative"));
}

function overflow(element, block, context) {
  const menu = el("div", { class: "menu", hidden: true }, element.options.map((option) => el("button", {
    type: "button",
    onclick: (event) => {
      menu.hidden = true;
      press(event, element, block, context, { selected_option: option });
    },
  }, plainText(option.text.text))));
  const toggle = el("button", { type: "button", class: "icon-button", "aria-label": context.texts.menu, onclick: () => (menu.hidden = !menu.hidden) }, icon("more"));
  return el("span", { class: "overflow" }, toggle, menu);
}

function groupsOf(element) {
  return element.option_groups ?? [{ options: element.options ?? [] }];
}

function select(element, block, context, groups) {
  const options = groups.flatMap((group) => group.options);
  const made = el("select", { "data-action": element.action_id });
  if (!element.initial_option) made.append(el("option", { value: "" }, element.placeholder?.text ?? context.texts.choose));
  let index = 0;
  for (const group of groups) {
    const entries = group.options.map((option) => el("option", { value: String(index++) }, option.text.text));
    made.append(...(group.label ? [el("optgroup", { label: group.label.text }, entries)] : entries));
  }
  const initial = options.findIndex((option) => option.value === element.initial_option?.value);
  if (initial >= 0) made.value = String(initial);
  const value = () => (made.value === "" ? null : options[Number(made.value)]);
  wire(made, element, block, context, () => ({ selected_option: value() }));
  return made;
}

function plainSelect(element, block, context, name, initial, entries) {
  const made = el("select", { "data-action": element.action_id },
    el("option", { value: "" }, element.placeholder?.text ?? context.texts.choose),
    entries.map(([id, label]) => el("option", { value: id }, label)));
  made.value = element[initial] ?? "";
  wire(made, element, block, context, () => ({ [name]: made.value || null }));
  return made;
}

function picker(element, block, context, type, name, initial) {
  const made = el("input", { type, value: element[initial] ?? "", "data-action": element.action_id });
  wire(made, element, block, context, () => ({ [name]: made.value || null }));
  return made;
}

function manyOf(element, block, context, options) {
  const initial = new Set((element.initial_options ?? []).map((option) => option.value));
  const boxes = options.map((option) => el("input", { type: "checkbox", checked: initial.has(option.value) }));
  const made = el("div", { class: "choices", "data-action": element.action_id },
    options.map((option, index) => el("label", { class: "choice" }, boxes[index], textObject(option.text, context.world))));
  wire(made, element, block, context, () => ({ selected_options: options.filter((_, index) => boxes[index].checked) }));
  return made;
}

function oneOf(element, block, context) {
  const group = `radio-${block.block_id}-${element.action_id}`;
  const boxes = element.options.map((option) => el("input", { type: "radio", name: group, checked: option.value === element.initial_option?.value }));
  const made = el("div", { class: "choices", "data-action": element.action_id },
    element.options.map((option, index) => el("label", { class: "choice" }, boxes[index],
      el("span", {}, textObject(option.text, context.world), option.description ? el("small", {}, plainText(option.description.text)) : null))));
  wire(made, element, block, context, () => ({ selected_option: element.options.find((_, index) => boxes[index].checked) ?? null }));
  return made;
}

function textInput(element, block, context) {
  const attributes = { placeholder: element.placeholder?.text, value: element.initial_value ?? "", maxlength: element.max_length ?? 3000, "data-action": element.action_id };
  const made = element.multiline ? el("textarea", { ...attributes, rows: 4 })
    : el("input", { ...attributes, type: element.type === "number_input" ? "number" : element.type === "email_text_input" ? "email" : element.type === "url_text_input" ? "url" : "text" });
  context.readers?.push({ block, element, required: !block.optional, read: () => ({ value: made.value === "" ? null : made.value }) });
  return made;
}

// Inside an input block a choice waits for the submission; elsewhere it is told at once.
function wire(made, element, block, context, read) {
  context.readers?.push({ block, element, required: context.isInput && !block.optional, read });
  if (!context.isInput || block.dispatch_action) made.addEventListener("change", () => press(null, element, block, context, read()));
}

export function stateOf(readers) {
  const values = {};
  for (const { block, element, read } of readers) {
    (values[block.block_id] ??= {})[element.action_id] = { type: element.type, ...read() };
  }
  return values;
}

export function missing(readers) {
  return readers.filter(({ required, read }) => required && Object.values(read()).every((value) => value === null || value.length === 0)).map(({ block }) => block.block_id);
}

export { mrkdwn };
