// Slack's two ways of writing text, as elements: mrkdwn (messages, sections) and standard Markdown (markdown blocks, streams).
import { el } from "./dom.js";

const EMOJI = {
  "+1": "👍", thumbsup: "👍", "-1": "👎", thumbsdown: "👎", bulb: "💡", memo: "📝", pencil: "📝", white_check_mark: "✅", warning: "⚠️",
  tada: "🎉", wave: "👋", mag: "🔍", book: "📖", books: "📚", chart_with_upwards_trend: "📈", bar_chart: "📊", speech_balloon: "💬",
  question: "❓", x: "❌", star: "⭐", robot_face: "🤖", hourglass_flowing_sand: "⏳", rocket: "🚀", fire: "🔥", eyes: "👀", pray: "🙏",
  muscle: "💪", calendar: "📅", bell: "🔔", lock: "🔒", dart: "🎯", trophy: "🏆", seedling: "🌱", blush: "😊", smile: "😄",
  point_right: "👉", globe_with_meridians: "🌐", busts_in_silhouette: "👥", arrows_counterclockwise: "🔄", information_source: "ℹ️",
  handshake: "🤝", clipboard: "📋", page_facing_up: "📄", link: "🔗", sparkles: "✨", clap: "👏", thinking_face: "🤔",
};

export function emoji(text) {
  return text.replace(/:([a-z0-9_+-]+):/g, (whole, name) => EMOJI[name] ?? whole);
}

export function unescape(text) {
  return text.replace(/&lt;/g, "<").replace(/&gt;/g, ">").replace(/&amp;/g, "&");
}

function safeLink(address, label) {
  if (!/^(https?:|mailto:)/i.test(address)) return document.createTextNode(label.textContent ?? label);
  return el("a", { href: address, target: "_blank", rel: "noopener noreferrer nofollow" }, label);
}

function lines(text) {
  const parts = text.split("\n");
  return parts.flatMap((part, index) => (index ? [el("br"), part] : [part])).filter((part) => part !== "");
}

// ---------------------------------------------------------------- mrkdwn

// Like Slack, markers only count where no letter touches them from outside: *太字* inside a Japanese sentence stays as typed.
const MRKDWN =
  /```([\s\S]+?)```|`([^`\n]+)`|<([^<>\n]+)>|(?<![\p{L}\p{N}*])\*(?=\S)([^*\n]*[^*\s])\*(?![\p{L}\p{N}*])|(?<![\p{L}\p{N}_])_(?=\S)([^_\n]*[^_\s])_(?![\p{L}\p{N}_])|(?<![\p{L}\p{N}~])~(?=\S)([^~\n]*[^~\s])~(?![\p{L}\p{N}~])/gu;

export function mrkdwn(text, world) {
  const root = el("div", { class: "text" });
  let quote = null;
  const pieces = String(text ?? "").split(/(```[\s\S]+?```)/);
  for (const piece of pieces) {
    if (/^```[\s\S]+```$/.test(piece)) {
      root.append(el("pre", {}, el("code", {}, unescape(piece.slice(3, -3).replace(/^\n|\n$/g, "")))));
      continue;
    }
    const rows = piece.split("\n");
    rows.forEach((row, index) => {
      const isQuote = /^(&gt;|>)\s?/.test(row);
      if (isQuote) {
        if (!quote) root.append((quote = el("blockquote")));
        else quote.append(el("br"));
        quote.append(...mrkdwnInline(row.replace(/^(&gt;|>)\s?/, ""), world));
        return;
      }
      if (index && !quote) root.append(el("br"));
      quote = null;
      root.append(...mrkdwnInline(row, world));
    });
  }
  return root;
}

function mrkdwnInline(text, world) {
  return parse(text, MRKDWN, (match) => {
    const [, block, code, angle, bold, italic, strike] = match;
    if (block !== undefined || code !== undefined) return el("code", {}, unescape(block ?? code));
    if (angle !== undefined) return special(angle, world);
    if (bold !== undefined) return el("strong", {}, mrkdwnInline(bold, world));
    if (italic !== undefined) return el("em", {}, mrkdwnInline(italic, world));
    return el("del", {}, mrkdwnInline(strike, world));
  }, (plain) => linkify(emoji(unescape(plain))));
}

function parse(text, pattern, made, plain) {
  const parts = [];
  let end = 0;
  for (const match of text.matchAll(pattern)) {
    if (match.index > end) parts.push(...plain(text.slice(end, match.index)));
    parts.push(made(match));
    end = match.index + match[0].length;
  }
  if (end < text.length) parts.push(...plain(text.slice(end)));
  return parts;
}

const ADDRESS = /https?:\/\/[^\s<>"（）「」『』【】、。！？]+/g;

function linkify(text) {
  return parse(text, ADDRESS, (match) => safeLink(match[0], match[0]), (plain) => lines(plain));
}

function special(inside, world) {
  const [target, label] = [inside.split("|")[0], inside.split("|").slice(1).join("|")];
  if (target.startsWith("@")) {
    const person = world.people[target.slice(1)];
    const isMe = target.slice(1) === world.me;
    return el("span", { class: isMe ? "mention me" : "mention" }, "@" + (person?.name ?? (label || target.slice(1))));
  }
  if (target.startsWith("#")) {
    const channel = world.channels.find((one) => one.id === target.slice(1));
    return el("span", { class: "mention" }, "#" + (channel?.name ?? (label || target.slice(1))));
  }
  if (target.startsWith("!date")) return document.createTextNode(dateText(target, label));
  if (target.startsWith("!")) return el("span", { class: "mention me" }, "@" + (label || target.slice(1)));
  return safeLink(unescape(target), emoji(unescape(label || target)));
}

function dateText(target, fallback) {
  const [, seconds, format] = target.split("^");
  const date = new Date(Number(seconds) * 1000);
  if (!format || Number.isNaN(date.getTime())) return fallback;
  const language = document.documentElement.lang;
  return format
    .replace(/\{date[a-z_]*\}/g, date.toLocaleDateString(language, { year: "numeric", month: "long", day: "numeric" }))
    .replace(/\{time[a-z_]*\}/g, date.toLocaleTimeString(language, { hour: "2-digit", minute: "2-digit" }));
}

export function plainText(text) {
  return el("span", { class: "plain" }, lines(emoji(String(text ?? ""))));
}

export function textObject(object, world) {
  return object?.type === "mrkdwn" ? mrkdwn(object.text, world) : plainText(object?.text);
}

// ---------------------------------------------------------------- Markdown

const MARKDOWN =
  /\\([\\`*_{}[\]()#+\-.!~>|<])|(`+)([\s\S]*?[^`])\2(?!`)|\*\*(?=\S)([\s\S]*?\S)\*\*|__(?=\S)([\s\S]*?\S)__|~~(?=\S)([\s\S]*?\S)~~|\*(?=[^\s*])([^*\n]*[^\s*])\*|(?<![\p{L}\p{N}_])_(?=[^\s_])([^_\n]*[^\s_])_(?![\p{L}\p{N}_])|!?\[([^\]\n]*)\]\(([^)\s]+)[^)]*\)|<([@#!][^<>\n]+|https?:[^<>\s]+)>|(https?:\/\/[^\s<>"（）「」『』【】、。！？]+)/gu;

function markdownInline(text, world) {
  return parse(text, MARKDOWN, (match) => {
    const [, escaped, , code, bold, bold2, strike, italic, italic2, label, address, angle, bare] = match;
    if (escaped !== undefined) return document.createTextNode(escaped);
    if (code !== undefined) return el("code", {}, code);
    if (bold !== undefined || bold2 !== undefined) return el("strong", {}, markdownInline(bold ?? bold2, world));
    if (strike !== undefined) return el("del", {}, markdownInline(strike, world));
    if (italic !== undefined || italic2 !== undefined) return el("em", {}, markdownInline(italic ?? italic2, world));
    if (address !== undefined) return safeLink(address, el("span", {}, markdownInline(label, world)));
    if (angle !== undefined) return special(angle, world);
    return safeLink(bare, bare);
  }, (plain) => lines(emoji(unescape(plain))));
}

const LIST = /^(\s*)([-*+•]|\d{1,3}[.)])\s+(.*)$/;

export function markdown(text, world) {
  const root = el("div", { class: "text markdown" });
  const rows = String(text ?? "").replace(/\r/g, "").split("\n");
  let paragraph = [];
  const flush = () => {
    if (paragraph.length) root.append(el("p", {}, markdownInline(paragraph.join("\n"), world)));
    paragraph = [];
  };
  for (let index = 0; index < rows.length; index += 1) {
    const row = rows[index];
    const fence = /^\s*(```+|~~~+)/.exec(row);
    if (fence) {
      flush();
      const code = [];
      while (++index < rows.length && !rows[index].trim().startsWith(fence[1])) code.push(rows[index]);
      root.append(el("pre", {}, el("code", {}, code.join("\n"))));
    } else if (/^#{1,6}\s/.test(row)) {
      flush();
      const level = /^#+/.exec(row)[0].length;
      root.append(el(level <= 2 ? "h3" : "h4", {}, markdownInline(row.replace(/^#+\s+/, "").replace(/\s#+$/, ""), world)));
    } else if (/^\s*([-*_])(\s*\1){2,}\s*$/.test(row)) {
      flush();
      root.append(el("hr"));
    } else if (/^\s*>/.test(row)) {
      flush();
      const quoted = [];
      while (index < rows.length && /^\s*>/.test(rows[index])) quoted.push(rows[index++].replace(/^\s*>\s?/, ""));
      index -= 1;
      root.append(el("blockquote", {}, ...markdown(quoted.join("\n"), world).childNodes));
    } else if (LIST.test(row)) {
      flush();
      const items = [];
      while (index < rows.length && (LIST.test(rows[index]) || (/^\s{2,}\S/.test(rows[index]) && items.length))) {
        const item = LIST.exec(rows[index]);
        if (item) items.push({ indent: item[1].length, isOrdered: /\d/.test(item[2]), start: parseInt(item[2], 10), text: item[3] });
        else items[items.length - 1].text += "\n" + rows[index].trim();
        index += 1;
        if (rows[index] === "" && LIST.test(rows[index + 1] ?? "")) index += 1;
      }
      index -= 1;
      root.append(...list(items, world));
    } else if (row.includes("|") && /^\s*\|?\s*:?-+:?\s*(\|\s*:?-+:?\s*)*\|?\s*$/.test(rows[index + 1] ?? "")) {
      flush();
      const cells = (line) => line.trim().replace(/^\||\|$/g, "").split("|").map((cell) => cell.trim());
      const head = cells(row);
      const body = [];
      index += 2;
      while (index < rows.length && rows[index].includes("|")) body.push(cells(rows[index++]));
      index -= 1;
      root.append(table(head, body, (cell) => markdownInline(cell, world)));
    } else if (row.trim() === "") {
      flush();
    } else {
      paragraph.push(row);
    }
  }
  flush();
  return root;
}

function list(items, world) {
  const lists = [];
  const open = [];
  for (const item of items) {
    while (open.length && open.at(-1).indent > item.indent) open.pop();
    let here = open.at(-1);
    if (!here || here.indent < item.indent || here.isOrdered !== item.isOrdered) {
      if (here && here.indent === item.indent) open.pop();
      const made = el(item.isOrdered ? "ol" : "ul", item.isOrdered && item.start > 1 ? { start: item.start } : {});
      const outer = open.at(-1);
      if (outer) (outer.element.lastElementChild ?? outer.element).append(made);
      else lists.push(made);
      here = { indent: item.indent, isOrdered: item.isOrdered, element: made };
      open.push(here);
    }
    here.element.append(el("li", {}, markdownInline(item.text, world)));
  }
  return lists;
}

export function table(head, body, render) {
  return el("div", { class: "table" }, el("table", {},
    head ? el("thead", {}, el("tr", {}, head.map((cell) => el("th", {}, render(cell))))) : null,
    el("tbody", {}, body.map((row) => el("tr", {}, row.map((cell) => el("td", {}, render(cell)))))),
  ));
}

// ---------------------------------------------------------------- rich_text

export function richText(block, world) {
  return el("div", { class: "text" }, (block.elements ?? []).map((part) => richPart(part, world)));
}

function richPart(part, world) {
  if (part.type === "rich_text_preformatted") return el("pre", {}, el("code", {}, (part.elements ?? []).map((one) => one.text ?? one.url ?? "")));
  if (part.type === "rich_text_quote") return el("blockquote", {}, richInline(part.elements, world));
  if (part.type === "rich_text_list") {
    const items = (part.elements ?? []).map((one) => el("li", {}, richInline(one.elements, world)));
    return el(part.style === "ordered" ? "ol" : "ul", { class: `indent-${part.indent ?? 0}` }, items);
  }
  return el("div", {}, richInline(part.elements, world));
}

function richInline(elements = [], world) {
  return elements.map((one) => {
    if (one.type === "user") return special("@" + one.user_id, world);
    if (one.type === "channel") return special("#" + one.channel_id, world);
    if (one.type === "broadcast") return special("!" + one.range, world);
    if (one.type === "emoji") return emoji(`:${one.name}:`);
    let made = one.type === "link" ? safeLink(one.url, one.text ?? one.url) : el("span", {}, lines(one.text ?? ""));
    for (const [style, tag] of [["code", "code"], ["bold", "strong"], ["italic", "em"], ["strike", "del"]]) {
      if (one.style?.[style]) made = el(tag, {}, made);
    }
    return made;
  });
}
