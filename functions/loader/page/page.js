"use strict";
(() => {
  const told = JSON.parse(document.getElementById("told").textContent);
  const $ = (query) => document.querySelector(query);
  const made = (tag, text, name) => {
    const element = document.createElement(tag);
    element.textContent = text;
    if (name) element.className = name;
    return element;
  };

  // -- packed data: JSON, gzipped, in base64 -------------------------------------------------
  const unpacked = new Map();
  const unpack = (name) => {
    if (!unpacked.has(name)) {
      const text = atob(document.getElementById(name).textContent);
      const bytes = Uint8Array.from(text, (letter) => letter.charCodeAt(0));
      const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
      unpacked.set(name, new Response(stream).json());
    }
    return unpacked.get(name);
  };

  // -- what depends on now -------------------------------------------------------------------
  // A clock that is behind must not make the page younger than it is.
  const now = () => Math.max(Date.now(), Date.parse(told.written));
  const age = (seconds) => {
    if (seconds < 60) return "just now";
    for (const [unit, size] of [["day", 86400], ["h", 3600], ["min", 60]]) {
      const whole = Math.floor(seconds / size);
      if (whole) return `${whole} ${unit}${unit === "day" && whole > 1 ? "s" : ""} ago`;
    }
    return "";
  };
  const ages = (root) => {
    for (const each of root.querySelectorAll("time")) {
      const at = Date.parse(each.dateTime);
      each.dataset.age = age((now() - at) / 1000);
      each.title = `${each.dateTime}, here ${new Date(at).toLocaleString()}`;
    }
  };
  const state = $(".state");
  const levels = ["green", "amber", "red"];
  const recheck = () => {
    if (!state) return;
    const due = told.later.filter((concern) => Date.parse(concern.at) <= now());
    const level = Math.max(levels.indexOf(told.level), ...due.map((each) => levels.indexOf(each.level)));
    const why = [...new Set([...told.concerns, ...due.map((each) => each.text)])];
    state.className = `state ${levels[level]}`;
    state.dataset.level = levels[level];
    state.querySelector(".verdict").textContent = told.verdicts[levels[level]];
    state.querySelector(".why").textContent = why.length ? `: ${why.join("; ")}.` : ".";
  };

  // -- loads ---------------------------------------------------------------------------------
  const dialog = $("dialog");
  const open = async (number) => {
    const [, , details] = (await unpack(`loads-${Math.floor(number / told.pack)}`))[number % told.pack];
    const body = dialog.querySelector(".body");
    body.innerHTML = details; // of the page's own Python, which escapes every text
    ages(body);
    if (!dialog.open) dialog.showModal();
    dialog.scrollTop = 0;
  };
  const openNamed = async (id) => {
    const ids = await unpack("ids");
    const number = ids.indexOf(id);
    if (number >= 0) await open(number);
  };
  const rows = $(".listed");
  const more = $(".more");
  const showMore = async () => {
    const first = rows.children.length;
    const pack = await unpack(`loads-${Math.floor(first / told.pack)}`);
    const fresh = pack.slice(first % told.pack).map((each) => each[1]).join("");
    rows.insertAdjacentHTML("beforeend", fresh);
    ages(rows);
    more.hidden = rows.children.length >= told.loads;
  };
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-open]");
    if (button) location.hash = `load-${button.dataset.open}`;
    else if (event.target === dialog) dialog.close();
  });
  const followHash = () => {
    const found = /^#load-([\w-]+)$/.exec(location.hash);
    if (found) openNamed(found[1]);
    else if (dialog.open) dialog.close();
  };
  if (dialog) {
    dialog.querySelector(".close").addEventListener("click", () => dialog.close());
    dialog.addEventListener("close", () => history.replaceState(null, "", location.pathname + location.search));
    addEventListener("hashchange", followHash);
    followHash();
  }
  if (more) more.addEventListener("click", showMore);
  const bad = $("#only-bad");
  if (bad) bad.addEventListener("change", () => $(".loads-table").classList.toggle("only-bad", bad.checked));

  // -- find a file ---------------------------------------------------------------------------
  const find = $("#find");
  const found = $(".found");
  const search = async () => {
    const wanted = find.value.trim().toLowerCase();
    found.replaceChildren();
    if (!wanted) return;
    const [files, ids] = await Promise.all([unpack("files"), unpack("ids")]);
    if (find.value.trim().toLowerCase() !== wanted) return;
    const hits = files.filter((file) => file[0].toLowerCase().includes(wanted));
    $(".hits").textContent = `${hits.length.toLocaleString("en")} found${hits.length > told.shown ? `, the first ${told.shown}` : ""}`;
    for (const [key, outcome, , number] of hits.slice(0, told.shown)) {
      const row = document.createElement("tr");
      const cell = made("td", "");
      const name = made("code", "");
      name.append(made("bdi", key));
      cell.append(name);
      const load = made("td", "");
      const button = made("button", ids[number]);
      button.dataset.open = ids[number];
      load.append(button);
      row.append(cell, made("td", outcome, told.left_out.includes(outcome) ? "bad" : ""), load);
      found.append(row);
    }
  };
  if (find) {
    let timer;
    find.addEventListener("input", () => {
      clearTimeout(timer);
      if (!find.value.trim()) $(".hits").textContent = "";
      timer = setTimeout(search, 120);
    });
  }

  ages(document);
  recheck();
  setInterval(() => { ages(document); recheck(); }, 30000);
  document.documentElement.dataset.ready = "yes";
})();
