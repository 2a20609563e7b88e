// Where people write: grows with the text, completes @names and /commands, and leaves Enter to the Japanese input method while it composes.
import { el, icon, replace } from "./dom.js";

export function composer({ texts, placeholder, people, commands, send, upload = null, initial = "", onCancel = null }) {
  const popup = el("div", { class: "completions", role: "listbox", hidden: true });
  const area = el("textarea", { rows: 1, placeholder, "aria-label": placeholder, value: initial });
  const button = el("button", { type: "button", class: "send", title: texts.send, "aria-label": texts.send, disabled: !initial, onclick: () => submit() }, icon("send"));
  const attached = el("div", { class: "attached", hidden: true });
  const picker = upload && el("input", { type: "file", multiple: true, hidden: true, "aria-label": texts.attach, onchange: () => { attach([...picker.files]); picker.value = ""; } });
  let files = [];
  let waiting = 0;
  let offered = [];
  let chosen = 0;

  const grow = () => {
    area.style.height = "auto";
    area.style.height = `${Math.min(area.scrollHeight, 220)}px`;
    button.disabled = waiting > 0 || (area.value.trim() === "" && files.length === 0);
  };

  const submit = () => {
    const text = area.value.trim();
    if (waiting || (!text && !files.length)) return;
    const given = files;
    area.value = "";
    files = [];
    showFiles();
    close();
    grow();
    send(text, given);
  };

  // A file is handed over at once and shared by the message that is sent with it.
  const attach = async (chosenFiles) => {
    waiting += 1;
    grow();
    for (const file of chosenFiles) {
      const done = await upload(file);
      if (done) files.push(done);
      showFiles();
    }
    waiting -= 1;
    grow();
    area.focus();
  };

  const showFiles = () => {
    attached.hidden = files.length === 0;
    replace(attached, files.map((file) => el("span", { class: "attachment" }, icon("file"), file.name, el("button", {
      type: "button", class: "icon-button", title: texts.remove_file, "aria-label": `${texts.remove_file}: ${file.name}`,
      onclick: () => { files = files.filter((one) => one !== file); showFiles(); grow(); },
    }, icon("close")))));
  };

  const close = () => {
    popup.hidden = true;
    offered = [];
  };

  const complete = () => {
    const before = area.value.slice(0, area.selectionStart);
    const command = /^\/(\S*)$/.exec(before);
    const mention = /(?:^|[\s　、。「（])[@＠]([^\s@＠]*)$/.exec(before);
    if (command) {
      offered = commands.filter((one) => one.name.startsWith("/" + command[1].toLowerCase()))
        .map((one) => ({ label: one.name, note: one.summary, insert: one.name + " ", from: 0 }));
    } else if (mention) {
      const wanted = mention[1].toLowerCase();
      offered = people.filter((one) => one.name.toLowerCase().replace(/\s/g, "").includes(wanted))
        .map((one) => ({ label: "@" + one.name, note: one.title, insert: "@" + one.name + " ", from: before.length - mention[1].length - 1 }));
    } else {
      offered = [];
    }
    offered = offered.slice(0, 8);
    chosen = 0;
    show();
  };

  const show = () => {
    popup.hidden = offered.length === 0;
    replace(popup, offered.map((one, index) => el("button", {
      type: "button", role: "option", class: index === chosen ? "chosen" : "", "aria-selected": String(index === chosen),
      onmousedown: (event) => { event.preventDefault(); take(index); },
    }, el("strong", {}, one.label), el("span", {}, one.note ?? ""))));
  };

  const take = (index) => {
    const one = offered[index];
    const after = area.value.slice(area.selectionStart);
    area.value = area.value.slice(0, one.from) + one.insert + after;
    area.selectionStart = area.selectionEnd = one.from + one.insert.length;
    close();
    grow();
    area.focus();
  };

  area.addEventListener("input", () => { grow(); complete(); });
  area.addEventListener("blur", close);
  area.addEventListener("keydown", (event) => {
    if (event.isComposing || event.keyCode === 229) return;
    if (offered.length && ["ArrowDown", "ArrowUp"].includes(event.key)) {
      event.preventDefault();
      chosen = (chosen + (event.key === "ArrowDown" ? 1 : offered.length - 1)) % offered.length;
      show();
    } else if (offered.length && ["Enter", "Tab"].includes(event.key) && !event.shiftKey && area.value.trim() !== offered[chosen].label) {
      event.preventDefault();
      take(chosen);
    } else if (event.key === "Escape") {
      if (offered.length) { event.stopPropagation(); close(); } else if (onCancel) onCancel();
    } else if (event.key === "Enter" && !event.shiftKey) {
      event.preventDefault();
      submit();
    }
  });
  const box = el("div", { class: "composer-box" }, popup, area, attached, el("div", { class: "composer-foot" },
    upload ? [picker, el("button", { type: "button", class: "icon-button attach", title: texts.attach, "aria-label": texts.attach, onclick: () => picker.click() }, icon("attach"))] : null,
    el("span", { class: "hint" }, texts.composer_hint),
    onCancel ? el("button", { type: "button", class: "button", onclick: onCancel }, texts.cancel) : null, button));
  if (upload) {
    box.addEventListener("dragover", (event) => { event.preventDefault(); box.classList.add("dropping"); });
    box.addEventListener("dragleave", () => box.classList.remove("dropping"));
    box.addEventListener("drop", (event) => { event.preventDefault(); box.classList.remove("dropping"); attach([...event.dataTransfer.files]); });
    area.addEventListener("paste", (event) => { if (event.clipboardData.files.length) { event.preventDefault(); attach([...event.clipboardData.files]); } });
  }
  box.focusArea = () => area.focus();
  box.prefill = (text) => { area.value = text; grow(); area.focus(); };
  requestAnimationFrame(grow);
  return box;
}

// What Slack would send for what was typed: escaped, with names as ids.
export function encode(text, people) {
  let encoded = text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");
  const byLength = [...people].sort((a, b) => b.name.length - a.name.length);
  for (const person of byLength) encoded = encoded.replaceAll("@" + person.name, `<@${person.id}>`).replaceAll("＠" + person.name, `<@${person.id}>`);
  return encoded;
}

export function decode(text, people) {
  return text.replace(/<@(\w+)>/g, (whole, id) => (people[id] ? "@" + people[id].name : whole))
    .replace(/&lt;/g, "<").replace(/&gt;/g, ">").replace(/&amp;/g, "&");
}
