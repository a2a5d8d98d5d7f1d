"use strict";
/* Draws the lines of the lineage, filters, and switches theme and language. All text is text. */
(() => {
  const WORDS = JSON.parse(document.getElementById("words").textContent);
  const SVG = "http://www.w3.org/2000/svg";
  const root = document.documentElement;
  const figures = [...document.querySelectorAll(".lineage")];
  let language = "en";

  function remember(name, value) {
    try {
      localStorage.setItem(`pacaloom.${name}`, value);
    } catch {
      // A page from disk may have no storage: then the choice lasts as long as the page.
    }
  }

  function recall(name) {
    try {
      return localStorage.getItem(`pacaloom.${name}`);
    } catch {
      return null;
    }
  }

  /* Language and theme. */

  function setLanguage(code) {
    language = code;
    root.lang = code;
    const words = WORDS[code];
    for (const node of document.querySelectorAll("[data-say]")) node.textContent = words[node.dataset.say];
    for (const node of document.querySelectorAll("[data-label]")) node.setAttribute("aria-label", words[node.dataset.label]);
    for (const node of document.querySelectorAll("[data-placeholder]")) node.placeholder = words[node.dataset.placeholder];
    for (const node of document.querySelectorAll("[data-column]")) node.dataset.title = words[node.dataset.column];
    const day = new Intl.DateTimeFormat(code, { dateStyle: "medium", timeStyle: "short" });
    for (const node of document.querySelectorAll("time")) node.textContent = day.format(new Date(node.dateTime));
    document.getElementById("language").lang = code === "en" ? "ko" : "en";
    document.title = `Pacaloom: ${words.title}`;
    requestAnimationFrame(drawAll);
  }

  function switchTheme() {
    const chosen = root.dataset.theme;
    const isDark = chosen ? chosen === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
    root.dataset.theme = isDark ? "light" : "dark";
    remember("theme", root.dataset.theme);
  }

  /* Lineage. */

  function sourcesOf(node) {
    return node.dataset.from ? node.dataset.from.split(" ") : [];
  }

  function nodesOf(figure) {
    return new Map([...figure.querySelectorAll(".node")].map((node) => [node.dataset.node, node]));
  }

  /** A curve from one side of a node to the opposite side of another, along the layers. */
  function curve(from, to, origin, isStacked) {
    const half = (start, size) => start + size / 2;
    if (isStacked) {
      const [x1, y1] = [half(from.left, Math.min(from.width, 80)) - origin.left, from.bottom - origin.top];
      const [x2, y2] = [half(to.left, Math.min(to.width, 80)) - origin.left, to.top - origin.top];
      const bend = Math.max(12, (y2 - y1) / 2);
      return `M${x1} ${y1}C${x1} ${y1 + bend} ${x2} ${y2 - bend} ${x2} ${y2}`;
    }
    const [x1, y1] = [from.right - origin.left, half(from.top, from.height) - origin.top];
    const [x2, y2] = [to.left - origin.left, half(to.top, to.height) - origin.top];
    const bend = Math.max(12, (x2 - x1) / 2);
    return `M${x1} ${y1}C${x1 + bend} ${y1} ${x2 - bend} ${y2} ${x2} ${y2}`;
  }

  function draw(figure) {
    const canvas = figure.querySelector(".edges");
    const origin = canvas.getBoundingClientRect();
    if (!origin.width) return;
    const layers = figure.querySelector(".layers");
    const isStacked = getComputedStyle(layers).flexDirection === "column";
    const nodes = nodesOf(figure);
    const paths = [];
    for (const node of nodes.values()) {
      for (const key of sourcesOf(node)) {
        const path = document.createElementNS(SVG, "path");
        const boxes = [nodes.get(key), node].map((one) => one.getBoundingClientRect());
        path.setAttribute("d", curve(...boxes, origin, isStacked));
        path.dataset.edge = `${key} ${node.dataset.node}`;
        paths.push(path);
      }
    }
    canvas.replaceChildren(...paths);
  }

  function drawAll() {
    figures.forEach(draw);
  }

  /** All that a node was made from and all that was made of it. */
  function relatives(nodes, start) {
    const found = new Set([start.dataset.node]);
    const up = [start];
    while (up.length) {
      for (const key of sourcesOf(up.pop())) {
        if (!found.has(key)) up.push(nodes.get(key));
        found.add(key);
      }
    }
    const down = new Set([start.dataset.node]);
    for (const [key, node] of nodes) {
      if (sourcesOf(node).some((source) => down.has(source))) down.add(key);
    }
    return new Set([...found, ...down]);
  }

  function light(figure, node) {
    const lit = node ? relatives(nodesOf(figure), node) : new Set();
    figure.classList.toggle("choosing", Boolean(node));
    for (const [key, one] of nodesOf(figure)) one.classList.toggle("lit", lit.has(key));
    for (const path of figure.querySelectorAll("path")) {
      path.classList.toggle("lit", path.dataset.edge.split(" ").every((key) => lit.has(key)));
    }
  }

  function near(layer, step) {
    for (let next = layer; next; ) {
      next = step > 0 ? next.nextElementSibling : next.previousElementSibling;
      if (next && next.querySelector(".node")) return next.querySelector(".node");
    }
    return null;
  }

  /** Arrow keys go along the lines where there are some, and to the next layer otherwise. */
  function walk(figure, node, key) {
    const nodes = nodesOf(figure);
    const layer = node.closest(".layer");
    const peers = [...layer.querySelectorAll(".node")];
    const place = peers.indexOf(node);
    if (key === "ArrowUp") return peers[place - 1];
    if (key === "ArrowDown") return peers[place + 1];
    if (key === "ArrowLeft") return nodes.get(sourcesOf(node)[0]) || near(layer, -1);
    const child = [...nodes.values()].find((one) => sourcesOf(one).includes(node.dataset.node));
    return child || near(layer, 1);
  }

  function listenTo(figure) {
    const find = (event) => event.target.closest(".node");
    figure.addEventListener("mouseover", (event) => light(figure, find(event)));
    figure.addEventListener("mouseleave", () => light(figure, null));
    figure.addEventListener("focusin", (event) => light(figure, find(event)));
    figure.addEventListener("focusout", () => light(figure, null));
    figure.addEventListener("keydown", (event) => {
      if (!/^Arrow/.test(event.key) || event.altKey || event.ctrlKey || event.metaKey) return;
      const next = find(event) && walk(figure, find(event), event.key);
      if (next) {
        next.focus();
        event.preventDefault();
      }
    });
  }

  /* Filter and tables. */

  function filter() {
    const words = document.getElementById("filter").value.normalize("NFC").toLowerCase().split(/\s+/).filter(Boolean);
    const fits = (text) => words.every((word) => text.includes(word));
    let isAny = false;
    for (const family of document.querySelectorAll(".family")) {
      const name = family.dataset.search;
      let isShown = fits(name);
      for (const entry of family.querySelectorAll(".entry")) {
        const isHit = fits(`${name} ${entry.dataset.search.normalize("NFC")}`);
        entry.hidden = !isHit;
        isShown ||= isHit;
      }
      family.classList.toggle("filtered", words.length > 0);
      family.hidden = !isShown;
      isAny ||= isShown;
    }
    document.getElementById("nothing").hidden = isAny || !words.length;
    requestAnimationFrame(drawAll);
  }

  function unfold(button) {
    const isWhole = button.previousElementSibling.classList.toggle("whole");
    button.setAttribute("aria-expanded", String(isWhole));
    const label = button.querySelector("[data-say]");
    label.dataset.say = isWhole ? "show-fewer" : "show-all";
    label.textContent = WORDS[language][label.dataset.say];
  }

  function openTarget() {
    const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (target instanceof HTMLDetailsElement) target.open = true;
  }

  root.classList.add("js");
  const theme = recall("theme");
  if (theme === "light" || theme === "dark") root.dataset.theme = theme;
  figures.forEach(listenTo);
  const filterField = document.getElementById("filter");
  filterField.addEventListener("input", filter);
  document.addEventListener("keydown", (event) => {
    if (event.key === "/" && !event.target.closest("input")) {
      event.preventDefault();
      filterField.focus();
    } else if (event.key === "Escape" && event.target === filterField) {
      filterField.value = "";
      filter();
    }
  });
  document.getElementById("theme").addEventListener("click", switchTheme);
  document.getElementById("language").addEventListener("click", () => {
    setLanguage(language === "en" ? "ko" : "en");
    remember("language", language);
  });
  for (const button of document.querySelectorAll(".more")) button.addEventListener("click", () => unfold(button));
  addEventListener("hashchange", openTarget);
  // A family far below is laid out when it comes into view.
  const watcher = new ResizeObserver((changes) => changes.forEach((change) => draw(change.target)));
  figures.forEach((figure) => watcher.observe(figure));
  const chosen = recall("language") || (navigator.language.startsWith("ko") ? "ko" : "en");
  setLanguage(chosen === "ko" ? "ko" : "en");
  openTarget();
})();
