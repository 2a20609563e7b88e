// Small helpers to build the page without ever reading text as HTML.

export function el(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name === "class") element.className = value;
    else if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "value" || name === "checked" || name === "disabled") element[name] = value;
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

export function fill(text, gaps = {}) {
  return String(text ?? "").replace(/\{(\w+)\}/g, (whole, name) => (name in gaps ? gaps[name] : whole));
}

export function replace(parent, ...children) {
  parent.replaceChildren(...children.flat(Infinity).filter(Boolean));
}

const HUES = [204, 12, 262, 156, 38, 330, 96, 228];

export function avatar(person, size = "") {
  if (!person || person.is_bot) {
    return el("img", { class: `avatar ${size}`, src: "static/coach.svg", alt: "" });
  }
  const hue = HUES[[...person.id].reduce((sum, letter) => sum + letter.codePointAt(0), 0) % HUES.length];
  const box = el("span", { class: `avatar letter ${size}`, "aria-hidden": "true" }, [...person.name][0] ?? "?");
  box.style.setProperty("--hue", hue);
  return box;
}

const PATHS = {
  send: "M3 20.5v-7l8-1.500-8-1.500v-7L22 12z",
  close: "M5 5l14 14M19 5L5 19",
  stop: "M7 7h10v10H7z",
  reply: "M9 6L4 11l5 5M4 11h10a6 6 0 0 1 6 6v2",
  edit: "M4 20h4L19 9l-4-4L4 16zM13.500 6.500l4 4",
  trash: "M5 7h14M9 7V4h6v3M7 7l1 13h8l1-13",
  attach: "M20 11.500l-8.200 8.200a5 5 0 0 1-7.100-7.100l8.600-8.600a3.300 3.300 0 0 1 4.700 4.700l-8.500 8.500a1.700 1.700 0 0 1-2.400-2.400l7.800-7.800",
  file: "M6 3h8l4 4v14H6zM14 3v4h4M9 12h6M9 16h6",
  book: "M5 4h6a2 2 0 0 1 2 2v14a2 2 0 0 0-2-2H5zM19 4h-4a2 2 0 0 0-2 2M13 20a2 2 0 0 1 2-2h4V4",
  up: "M7 11v9H4v-9zM7 11l4-8c1.700 0 2.600 1.200 2.300 2.800L12.600 9H18a2 2 0 0 1 2 2.400l-1.400 7A2 2 0 0 1 16.700 20H7",
  down: "M17 13V4h3v9zM17 13l-4 8c-1.700 0-2.600-1.200-2.300-2.800l.7-3.200H6a2 2 0 0 1-2-2.400l1.400-7A2 2 0 0 1 7.300 4H17",
  menu: "M4 7h16M4 12h16M4 17h16",
  more: "M6 12h.01M12 12h.01M18 12h.01",
  eye: "M2.500 12S6 5.500 12 5.500 21.500 12 21.500 12 18 18.500 12 18.500 2.500 12 2.500 12zM12 9.500a2.500 2.500 0 1 0 0 5 2.500 2.500 0 0 0 0-5z",
  hash: "M9.500 4L7.500 20M16.500 4l-2 16M4.500 9h16M3.500 15h16",
};

export function icon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("class", `icon icon-${name}`);
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  path.setAttribute("d", PATHS[name]);
  svg.append(path);
  return svg;
}
