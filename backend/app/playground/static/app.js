// The page: one person's view of the small Slack. It reads `world` once, then follows `changes`, and does things through `act`.
import { renderBlocks, stateOf } from "./blocks.js";
import { composer, decode, encode } from "./composer.js";
import { avatar, el, fill, icon, replace } from "./dom.js";
import { confirmation, showModal, showProblems } from "./modal.js";
import { markdown, mrkdwn } from "./text.js";

const $ = (id) => document.getElementById(id);
const GROUP_SECONDS = 300;
let world = null;
let texts = {};
let source = null;
const view = { channel: null, tab: "messages", thread: null, editing: null };
const feedbackOf = new Map();
const stoppedSessions = new Set();
let localNumber = 0;

const t = (name, gaps) => fill(texts[name] ?? name, gaps);
const channelOf = (id) => world.byId.get(id);
const isApp = () => view.channel === world.direct;
const remembered = (name) => { try { return JSON.parse(localStorage.getItem(`playground:${name}`)); } catch { return null; } };
const remember = (name, value) => { try { localStorage.setItem(`playground:${name}`, JSON.stringify(value)); } catch { /* private window */ } };

// ---------------------------------------------------------------- loading and following

// Follow first, then read: what happens in between is applied once more, so nothing is missed.
function enter(user) {
  source?.close();
  let waiting = [];
  const mine = (source = new EventSource(`changes?user=${encodeURIComponent(user ?? "")}`));
  source.addEventListener("hello", async () => {
    waiting = [];
    const answer = await fetch(`world?user=${encodeURIComponent(user ?? "")}`);
    if (mine !== source || !answer.ok) return;
    document.body.classList.remove("offline");
    load(await answer.json());
    const missed = waiting;
    waiting = null;
    missed.forEach(apply);
  });
  source.onmessage = (event) => {
    const change = JSON.parse(event.data);
    if (waiting) waiting.push(change);
    else apply(change);
  };
  source.onerror = () => {
    document.body.classList.add("offline");
    if (mine.readyState === EventSource.CLOSED) setTimeout(() => mine === source && enter(world ? user : ""), 1000);
  };
}

function load(read) {
  const before = world?.me;
  const wasApp = world !== null && isApp();
  world = read;
  texts = world.texts;
  world.byId = new Map(world.channels.map((channel) => [channel.id, {
    ...channel,
    messages: new Map(channel.messages.map((message) => [message.ts, message])),
    ephemerals: new Map(channel.ephemerals.map((message) => [message.ts, message])),
  }]));
  world.channels = [...world.byId.values()];
  world.seen = remembered(`seen:${world.me}`) ?? {};
  for (const channel of world.channels) world.seen[channel.id] ??= newestOf(channel);
  document.documentElement.lang = world.language;
  document.title = `${t("title")} — ${world.people[world.bot].name}`;
  remember("person", world.me);
  if (wasApp) view.channel = world.direct;
  if (!world.byId.has(view.channel)) {
    const kept = remembered(`place:${world.me}`);
    view.channel = world.byId.has(kept) ? kept : world.channels.find((one) => !one.is_direct)?.id ?? world.direct;
    view.tab = "messages";
    view.thread = null;
  }
  if (view.thread && !channelOf(view.thread.channel)?.messages.has(view.thread.ts)) view.thread = null;
  drawEverything();
  showModal(world.modal, blockContext({ viewId: world.modal?.id }), modalHandlers);
  if (isApp() && before !== world.me) act("open_home", { tab: view.tab });
}

function apply(change) {
  const channel = change.channel ? channelOf(change.channel) : null;
  if (change.channel && !channel) return;
  switch (change.type) {
    case "message":
      keep(channel, change.message);
      break;
    case "deleted":
      if (change.message) keep(channel, change.message);
      else channel.messages.delete(change.ts);
      break;
    case "ephemeral":
      channel.ephemerals.set(change.message.ts, { ...change.message, version: ++localNumber });
      break;
    case "ephemeral_gone":
      channel.ephemerals.delete(change.ts);
      break;
    case "session":
      channel.sessions[change.thread_ts] = change.session;
      if (change.session.status !== "processing") stoppedSessions.delete(change.thread_ts);
      break;
    case "prompts":
      world.prompts = change.prompts;
      drawPrompts();
      return;
    case "home":
      world.home = change.view;
      drawHome();
      return;
    case "modal":
      world.modal = change.view;
      showModal(world.modal, blockContext({ viewId: world.modal?.id }), modalHandlers);
      return;
    case "modal_errors":
      showProblems(change.errors);
      return;
    default:
      return;
  }
  scheduleDraw();
}

function keep(channel, message) {
  channel.messages.set(message.ts, { ...message, version: ++localNumber });
}

let isScheduled = false;
function scheduleDraw() {
  if (isScheduled) return;
  isScheduled = true;
  requestAnimationFrame(() => {
    isScheduled = false;
    drawTimelines();
    drawSidebar();
  });
}

async function act(what, given = {}) {
  try {
    const answer = await fetch("act", {
      method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ user: world.me, do: what, with: given }),
    });
    const result = await answer.json();
    if (!result.ok && what !== "command") toast(t("failed", { error: result.error ?? answer.status }));
    return result;
  } catch {
    toast(t("failed", { error: t("reconnecting") }));
    return {};
  }
}

function toast(text) {
  const made = el("div", { class: "toast" }, text);
  $("toasts").append(made);
  setTimeout(() => made.remove(), 6000);
}

// ---------------------------------------------------------------- the frame

function drawEverything() {
  drawBanner();
  drawSidebar();
  drawPlace();
  drawTimelines(true);
  drawHome();
  drawComposers();
  drawPrompts();
}

function drawBanner() {
  replace($("banner"),
    el("strong", {}, t("title")), el("span", {}, t("not_slack")),
    world.is_offline ? el("span", { class: "badge" }, t("offline")) : null,
    el("span", { class: "lost" }, t("reconnecting")));
}

const newestOf = (channel) => [...channel.messages.keys()].sort().at(-1) ?? "0";

function isUnread(channel) {
  const seen = world.seen[channel.id] ?? "0";
  return [...channel.messages.values()].some((one) => one.ts > seen && one.user !== world.me && !one.hidden);
}

function markSeen() {
  if (document.hidden || view.tab === "home") return;
  const newest = newestOf(channelOf(view.channel));
  if (world.seen[view.channel] === newest) return;
  world.seen[view.channel] = newest;
  remember(`seen:${world.me}`, world.seen);
}

function drawSidebar() {
  const people = Object.values(world.people).filter((one) => !one.is_bot);
  const me = world.people[world.me];
  const place = (channel, label) => el("button", {
    type: "button", class: `place ${channel.id === view.channel ? "here" : ""} ${isUnread(channel) ? "unread" : ""}`,
    "aria-current": channel.id === view.channel ? "page" : null, "data-channel": channel.id, onclick: () => go(channel.id),
  }, label, el("span", { class: "dot" }));
  replace($("sidebar"),
    el("div", { class: "workspace" }, el("span", { class: "workspace-mark" }, [...world.team.name][0]), el("strong", {}, world.team.name)),
    el("div", { class: "sidebar-body" },
      el("h2", {}, t("channels")),
      world.channels.filter((one) => !one.is_direct).map((one) => place(one, [icon("hash"), el("span", {}, one.name)])),
      el("h2", {}, t("apps")),
      place(channelOf(world.direct), [avatar(world.people[world.bot], "tiny"), el("span", {}, world.people[world.bot].name)])),
    el("div", { class: "person" },
      el("label", { for: "person-choice" }, t("people")),
      el("div", { class: "person-row" }, avatar(me, "small"),
        el("select", { id: "person-choice", onchange: (event) => switchPerson(event.target.value) },
          people.map((one) => el("option", { value: one.id, selected: one.id === world.me },
            `${one.name}（${{ ja: "日本語", en: "English", zh: "中文" }[one.language]}${one.is_guest ? "・" + t("guest") : ""}${one.is_manager ? "・" + t("manager") : ""}）`)))),
      el("small", {}, me.title)));
}

function switchPerson(user) {
  view.thread = null;
  view.editing = null;
  enter(user);
}

function go(channelId, tab = "messages") {
  view.channel = channelId;
  view.tab = tab;
  view.editing = null;
  if (view.thread?.channel !== channelId) view.thread = null;
  remember(`place:${world.me}`, channelId);
  document.body.classList.remove("sidebar-open");
  if (channelId === world.direct) act("open_home", { tab });
  drawEverything();
  $("composer").firstElementChild?.focusArea();
}

function drawPlace() {
  const channel = channelOf(view.channel);
  const tab = (name, label) => el("button", {
    type: "button", role: "tab", class: view.tab === name ? "here" : "", "aria-selected": String(view.tab === name), "data-tab": name, onclick: () => go(channel.id, name),
  }, label);
  const bot = world.people[world.bot];
  replace($("place"),
    el("button", { type: "button", class: "icon-button menu-button", "aria-label": t("menu"), onclick: () => document.body.classList.toggle("sidebar-open") }, icon("menu")),
    isApp() ? [avatar(bot, "small"), el("h1", {}, bot.name), el("span", { class: "app-badge" }, t("app_badge")),
      el("div", { class: "tabs", role: "tablist" }, tab("home", t("home_tab")), tab("messages", t("messages_tab")))]
      : [el("h1", {}, "# " + channel.name)]);
  const isHome = isApp() && view.tab === "home";
  $("home").hidden = !isHome;
  $("timeline").hidden = isHome;
  $("composer").hidden = isHome;
  document.body.classList.toggle("is-home", isHome);
}

function drawHome() {
  if (!isApp()) return;
  const home = world.home;
  replace($("home"), home
    ? el("div", { class: "home-view" }, renderBlocks(home.blocks, blockContext({ isHome: true })))
    : el("p", { class: "empty" }, t("home_empty")));
}

function drawPrompts() {
  const prompts = world.prompts?.prompts ?? [];
  $("prompts").hidden = !(isApp() && view.tab === "messages" && prompts.length);
  replace($("prompts"), el("span", {}, world.prompts?.title || t("suggestions")), el("div", {}, prompts.map((one) => el("button", {
    type: "button", class: "chip", onclick: () => write(one.message, null),
  }, one.title))));
}

// ---------------------------------------------------------------- writing

function drawComposers() {
  const channel = channelOf(view.channel);
  const bot = world.people[world.bot];
  replace($("composer"), composer({
    texts, people: inChannel(channel), commands: world.commands,
    placeholder: isApp() ? t("write_to_app", { name: bot.name }) : t("write_to", { name: "#" + channel.name }),
    send: (text, files) => write(text, null, files), upload,
  }));
  drawThreadComposer();
}

let threadComposerFor = null;
function drawThreadComposer() {
  const wanted = view.thread ? `${world.me}:${view.thread.ts}` : null;
  if (wanted === threadComposerFor && wanted) return;
  threadComposerFor = wanted;
  replace($("thread-composer"), view.thread ? composer({
    texts, people: inChannel(channelOf(view.thread.channel)), commands: [], placeholder: t("write_reply"),
    send: (text, files) => write(text, view.thread, files), upload,
  }) : null);
}

function inChannel(channel) {
  const bot = world.people[world.bot];
  return channel.is_direct ? [bot] : [bot, ...Object.values(world.people).filter((one) => !one.is_bot && one.id !== world.me)];
}

async function write(text, thread, files = []) {
  const channel = thread?.channel ?? view.channel;
  if (text.startsWith("/") && !files.length) return command(text, channel, thread);
  const encoded = encode(text, Object.values(world.people));
  const isForBot = encoded.includes(`<@${world.bot}>`) && channel !== world.direct;
  const result = await act("say", {
    text: encoded, channel, ...(thread ? { thread_ts: thread.ts } : {}), ...(files.length ? { files: files.map((file) => file.id) } : {}),
  });
  if (result.ok && !thread && isForBot && window.innerWidth > 900) openThread(channel, result.ts);
  stick($("timeline"));
  return result;
}

async function upload(file) {
  try {
    const answer = await fetch(`upload?user=${encodeURIComponent(world.me)}&name=${encodeURIComponent(file.name)}`, {
      method: "POST", headers: { "Content-Type": "application/octet-stream" }, body: file,
    });
    const result = await answer.json();
    if (result.ok) return result;
    toast(t("failed", { error: result.error ?? answer.status }));
  } catch {
    toast(t("failed", { error: file.name }));
  }
  return null;
}

async function command(text, channel, thread) {
  const [name] = text.split(/\s/, 1);
  if (thread) return note(channel, t("not_in_thread", { name: name.slice(1) }), thread.ts);
  if (!world.commands.some((one) => one.name === name)) return note(channel, t("unknown_command", { name }));
  return act("command", { command: name, text: text.slice(name.length).trim(), channel });
}

function note(channelId, text, threadTs = null) {
  const ts = `${Math.floor(Date.now() / 1000)}.${String(++localNumber).padStart(6, "0")}`;
  channelOf(channelId).ephemerals.set(ts, { ts, user: "USLACKBOT", text, is_ephemeral: true, is_failure: true, ...(threadTs ? { thread_ts: threadTs } : {}) });
  scheduleDraw();
}

// ---------------------------------------------------------------- messages

const repliesOf = (channel, ts) => inOrder([...channel.messages.values()].filter((one) => one.thread_ts === ts && one.ts !== ts));
const inOrder = (messages) => messages.sort((a, b) => (a.ts < b.ts ? -1 : 1));
const isRoot = (message) => !message.thread_ts || message.thread_ts === message.ts;
const dayOf = (ts) => new Date(Number(ts) * 1000).toDateString();

function isWorking(channel, ts) {
  return channel.sessions[ts]?.status === "processing" && !stoppedSessions.has(ts);
}

function drawTimelines(isNew = false) {
  const channel = channelOf(view.channel);
  const roots = inOrder([...channel.messages.values()].filter(isRoot).concat([...channel.ephemerals.values()].filter((one) => !one.thread_ts)));
  const items = [];
  let previous = null;
  for (const message of roots) {
    if (!previous || dayOf(previous.ts) !== dayOf(message.ts)) {
      items.push({ key: `day:${dayOf(message.ts)}`, stamp: texts.today, make: () => daySeparator(message.ts) });
      previous = null;
    }
    const isNext = previous && !channel.is_direct && previous.user === message.user && !previous.is_ephemeral && !message.is_ephemeral && message.ts - previous.ts < GROUP_SECONDS;
    items.push(messageItem(channel, message, { isNext, where: "main" }));
    if (channel.is_direct && !message.is_ephemeral) items.push(...directReplies(channel, message));
    previous = message;
  }
  if (!items.length) items.push({ key: "empty", stamp: world.language, make: () => el("p", { class: "empty" }, channel.is_direct ? t("direct_empty") : t("channel_empty", { mention: "@" + world.people[world.bot].name })) });
  reconcile($("timeline"), items, isNew);
  drawThread(isNew);
  markSeen();
}

function directReplies(channel, root) {
  const items = repliesOf(channel, root.ts).map((message) => messageItem(channel, message, { where: "inline" }));
  for (const message of inOrder([...channel.ephemerals.values()].filter((one) => one.thread_ts === root.ts))) items.push(messageItem(channel, message, { where: "inline" }));
  if (isWorking(channel, root.ts)) items.push(workingItem(channel, root.ts, "inline"));
  return items;
}

function drawThread(isNew) {
  const pane = $("thread");
  const channel = view.thread && channelOf(view.thread.channel);
  const root = channel?.messages.get(view.thread.ts);
  pane.hidden = !root;
  document.body.classList.toggle("has-thread", Boolean(root));
  if (!root) return;
  replace($("thread-head"), el("h2", {}, t("thread")), el("small", {}, channel.is_direct ? world.people[world.bot].name : "# " + channel.name),
    el("button", { type: "button", class: "icon-button", title: t("close"), "aria-label": t("close"), onclick: closeThread }, icon("close")));
  const replies = repliesOf(channel, root.ts);
  const items = [messageItem(channel, root, { where: "thread" })];
  if (replies.length) items.push({ key: "count", stamp: `${replies.length}${world.language}`, make: () => el("div", { class: "separator thin" }, el("span", {}, t("replies", { count: replies.length }))) });
  const all = inOrder([...replies, ...[...channel.ephemerals.values()].filter((one) => one.thread_ts === root.ts)]);
  items.push(...all.map((message) => messageItem(channel, message, { where: "thread" })));
  if (isWorking(channel, root.ts)) items.push(workingItem(channel, root.ts, "thread"));
  reconcile($("thread-timeline"), items, isNew);
  drawThreadComposer();
}

function openThread(channel, ts) {
  const root = channelOf(channel).messages.get(ts);
  view.thread = { channel, ts: root?.thread_ts ?? ts };
  drawTimelines(false);
  stick($("thread-timeline"));
  $("thread-composer").firstElementChild?.focusArea();
}

function closeThread() {
  view.thread = null;
  drawTimelines();
}

// Keeps the elements whose message has not changed; the reader's place and selection stay.
function reconcile(container, items, isNew) {
  const isAtEnd = isNew || container.scrollHeight - container.scrollTop - container.clientHeight < 90;
  const known = isNew ? new Map() : (container.known ?? new Map());
  const next = new Map();
  for (const item of items) {
    const old = known.get(item.key);
    const isSame = old && old.stamp === item.stamp;
    const element = isSame ? old.element : item.make();
    // In place, so that its neighbours are not moved: a button that moves between press and release is not clicked.
    if (old && !isSame) old.element.replaceWith(element);
    next.set(item.key, { stamp: item.stamp, element });
  }
  container.known = next;
  const elements = [...next.values()].map((one) => one.element);
  const kept = new Set(elements);
  for (const child of [...container.children]) if (!kept.has(child)) child.remove();
  elements.forEach((element, index) => {
    if (container.children[index] !== element) container.insertBefore(element, container.children[index] ?? null);
  });
  if (isAtEnd) stick(container);
}

function stick(container) {
  requestAnimationFrame(() => { container.scrollTop = container.scrollHeight; });
}

function daySeparator(ts) {
  const date = new Date(Number(ts) * 1000);
  const days = Math.round((new Date().setHours(0, 0, 0, 0) - new Date(date).setHours(0, 0, 0, 0)) / 86_400_000);
  const label = days === 0 ? t("today") : days === 1 ? t("yesterday") : date.toLocaleDateString(world.language, { month: "long", day: "numeric", weekday: "long" });
  return el("div", { class: "separator" }, el("span", {}, label));
}

function messageItem(channel, message, { isNext = false, where }) {
  const replies = where === "main" && !channel.is_direct ? repliesOf(channel, message.ts) : [];
  const working = where === "main" && !channel.is_direct && isWorking(channel, message.ts);
  const isEditing = view.editing === message.ts && where !== "main-hidden";
  const stamp = [message.version ?? 0, isNext, replies.length, replies.at(-1)?.ts, working, isEditing, feedbackOf.get(message.ts), world.language, world.me].join("|");
  return { key: `${where}:${message.is_ephemeral ? "e" : "m"}:${message.ts}`, stamp, make: () => drawMessage(channel, message, { isNext, where, replies, working, isEditing }) };
}

function drawMessage(channel, message, { isNext, where, replies, working, isEditing }) {
  const person = message.user === "USLACKBOT" ? { id: "USLACKBOT", name: "Slackbot", is_bot: true } : world.people[message.user];
  const isStreaming = message.streaming_state === "in_progress";
  const classes = ["message", where, isNext ? "next" : "", message.is_ephemeral ? "ephemeral" : "", isStreaming ? "streaming" : "", message.is_failure ? "failure" : ""];
  const time = new Date(Number(message.ts) * 1000).toLocaleTimeString(world.language, { hour: "2-digit", minute: "2-digit" });
  const stamp = el("time", {}, time);
  const body = isEditing ? editor(channel, message) : el("div", { class: "words" }, content(channel, message),
    message.edited && !person?.is_bot ? el("small", { class: "edited" }, t("edited")) : null,
    message.streaming_state === "stopped" ? el("div", { class: "stopped" }, icon("stop"), t("stopped")) : null);
  return el("article", { class: classes.join(" "), "data-ts": message.ts },
    el("div", { class: "gutter" }, isNext ? stamp : avatar(person)),
    el("div", { class: "message-body" },
      message.is_ephemeral ? el("div", { class: "only-you" }, icon("eye"), t("only_you")) : null,
      isNext ? null : el("div", { class: "by" }, el("strong", {}, person?.name ?? message.user), person?.is_bot ? el("span", { class: "app-badge" }, t("app_badge")) : null, stamp),
      body,
      replies.length || working ? threadLink(channel, message, replies, working) : null),
    message.hidden || isEditing ? null : tools(channel, message, where));
}

function content(channel, message) {
  if (message.subtype === "tombstone") return el("em", { class: "faint" }, t("deleted"));
  const parts = [];
  const isOurs = Boolean(message.bot_id);
  const isStream = Boolean(message.streaming_state);
  const blocks = isOurs ? message.blocks ?? [] : [];
  if (isStream && !blocks.some((block) => block.type === "markdown")) parts.push(markdown(message.text, world));
  if (blocks.length) parts.push(...renderBlocks(blocks, blockContext({ channel: channel.id, ts: message.ts })));
  else if (!isStream && message.text) parts.push(mrkdwn(message.text, world));
  for (const file of message.files ?? []) {
    parts.push(/\.(png|jpe?g)$/i.test(file.name) ? el("img", { class: "picture", src: `files/${file.id}`, alt: file.alt_txt ?? file.title ?? file.name })
      : el("a", { class: "file", href: `files/${file.id}`, download: file.name }, icon("file"), file.title || file.name));
  }
  return parts;
}

function threadLink(channel, message, replies, working) {
  const authors = [...new Set(replies.map((one) => one.user))].slice(0, 4);
  return el("button", { type: "button", class: "thread-link", onclick: () => openThread(channel.id, message.ts) },
    authors.map((id) => avatar(world.people[id], "tiny")),
    replies.length ? el("span", {}, t("replies", { count: replies.length })) : null,
    working ? el("span", { class: "working-words" }, dots(), statusText(channel, message.ts)) : null);
}

const dots = () => el("span", { class: "dots", "aria-hidden": "true" }, el("i"), el("i"), el("i"));

function statusText(channel, ts) {
  const session = channel.sessions[ts] ?? {};
  return session.loading_messages?.[0] || session.status_text || t("working");
}

function workingItem(channel, ts, where) {
  const stop = async (event) => {
    event.currentTarget.disabled = true;
    const result = await act("stop", { thread_ts: ts, channel: channel.id });
    if (result.ok) stoppedSessions.add(ts);
    scheduleDraw();
  };
  return {
    key: `working:${ts}`, stamp: statusText(channel, ts) + world.language,
    make: () => el("div", { class: `working ${where}`, role: "status" }, avatar(world.people[world.bot], "tiny"), dots(), el("span", {}, statusText(channel, ts)),
      el("button", { type: "button", class: "button stop", onclick: stop }, icon("stop"), t("stop"))),
  };
}

function tools(channel, message, where) {
  const isMine = message.user === world.me && !message.is_ephemeral;
  const tool = (name, label, action) => el("button", { type: "button", class: "icon-button", title: label, "aria-label": label, onclick: action }, icon(name));
  return el("div", { class: "tools" },
    where !== "thread" && !message.is_ephemeral ? tool("reply", t("reply_here"), () => openThread(channel.id, message.ts)) : null,
    message.is_ephemeral ? null : (world.shortcuts ?? []).map((one) => tool("book", one.name, () => act("shortcut", { callback_id: one.id, ts: message.ts, channel: channel.id }))),
    isMine ? tool("edit", t("edit"), () => { view.editing = message.ts; drawTimelines(); }) : null,
    isMine ? tool("trash", t("delete"), () => remove(channel, message)) : null);
}

function editor(channel, message) {
  const done = () => { view.editing = null; drawTimelines(); };
  const box = composer({
    texts: { ...texts, send: t("save") }, people: inChannel(channel), commands: [], placeholder: t("edit"), initial: decode(message.text, world.people), onCancel: done,
    send: async (text) => { done(); await act("edit", { channel: channel.id, sent_ts: message.ts, text: encode(text, Object.values(world.people)) }); },
  });
  requestAnimationFrame(() => box.focusArea());
  return box;
}

async function remove(channel, message) {
  const plain = (text) => ({ type: "plain_text", text });
  const isSure = await confirmation({ title: plain(t("delete")), text: plain(t("confirm_delete")), confirm: plain(t("delete")), deny: plain(t("cancel")) }, world);
  if (isSure) await act("delete", { channel: channel.id, sent_ts: message.ts });
}

// ---------------------------------------------------------------- blocks

function blockContext({ channel = null, ts = null, viewId = null, isHome = false }) {
  const readers = [];
  return {
    world, texts, readers, confirm: (object) => confirmation(object, world),
    feedback: ts ? { get: () => feedbackOf.get(ts), set: (value) => { feedbackOf.set(ts, value); scheduleDraw(); } } : null,
    press(block, element, chosen) {
      const place = ts ? { ts, channel } : viewId && !isHome ? { view_id: viewId } : {};
      return act("click", { action_id: element.action_id, block_id: block.block_id, chosen, state: stateOf(this.readers ?? readers), ...place });
    },
  };
}

const modalHandlers = {
  submit: (viewId, values) => act("submit", { view_id: viewId, values }),
  close: () => act("close_modal"),
};

// ---------------------------------------------------------------- begin

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && !event.isComposing && view.thread && !document.querySelector("dialog[open]")) closeThread();
});
document.addEventListener("visibilitychange", () => { if (world) { markSeen(); drawSidebar(); } });
document.addEventListener("click", (event) => {
  for (const menu of document.querySelectorAll(".menu:not([hidden])")) if (!menu.parentElement.contains(event.target)) menu.hidden = true;
});

enter(new URLSearchParams(location.search).get("user") ?? remembered("person"));
