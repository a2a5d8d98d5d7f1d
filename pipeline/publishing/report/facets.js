/* The filters beside the table, and how many rows each would show. */

let facetsDrawnFor = "";

/** The filters beside the table. They are made once for each state of the data and language, and
 * then only their numbers change, so that nothing moves under a reader's hand. */
function drawFacets(counts) {
  const wanted = [language, loadedRows, ...Object.keys(counts), isBuilt(counts)].join(" ");
  if (wanted !== facetsDrawnFor) {
    const groups = FACETS.filter((facet) => counts[facet]).map(facetGroup);
    const openGroups = new Map(
      [...byId("facets").querySelectorAll("details")].map((one) => [one.dataset.facet, one.open]),
    );
    byId("facets").replaceChildren(
      ...groups.filter(Boolean),
      ...RANGES.map(rangeGroup).filter(Boolean),
    );
    for (const details of byId("facets").querySelectorAll("details")) {
      details.open = openGroups.get(details.dataset.facet) ?? true;
    }
    facetsDrawnFor = wanted;
  }
  updateFacets(counts);
}

/** Facets whose only value is chosen appear too: an address may ask for one that is not there. */
function isBuilt(counts) {
  return Object.keys(counts)
    .filter((facet) => valuesOf(facet).length > 1 || state.facets[facet].size)
    .join(",");
}

function updateFacets(counts) {
  for (const box of byId("facets").querySelectorAll("input[type=checkbox]")) {
    const { facet, value } = box.dataset;
    const number = counts[facet]?.get(value) || 0;
    box.checked = state.facets[facet].has(value);
    box.closest(".option").classList.toggle("empty", !number && !box.checked);
    box.closest(".option").querySelector(".number").textContent = count(number);
  }
  for (const box of byId("facets").querySelectorAll("input[type=number]")) {
    const value = state.ranges[box.dataset.range][Number(box.dataset.end)];
    if (box !== document.activeElement) box.value = value ?? "";
  }
}

const KINDS = {
  status: "statuses",
  split: "sides",
  language: "languages",
  stage: "stages",
  reason: "reasons",
  task: "tasks",
  strategy: "strategies",
  teacher: "teachers",
  review: "verdicts",
};
const allValues = {};

/** Every value that occurs at all, so that the list stands still while its numbers change. */
function valuesOf(facet) {
  if (facet === "review") return ["accept", "edit", "reject", "undecided"];
  if (!allValues[facet] || allValues[facet].rows !== loadedRows) {
    const sums = new Map();
    for (let row = 0; row < loadedRows; row++) {
      const value = valueOf[facet](row);
      if (value !== null) sums.set(value, (sums.get(value) || 0) + 1);
    }
    const order =
      facet === "stage"
        ? OVERVIEW.names.stages.filter((one) => sums.has(one))
        : [...sums].sort((one, other) => other[1] - one[1]).map(([value]) => value);
    allValues[facet] = { rows: loadedRows, order };
  }
  return allValues[facet].order;
}

function facetGroup(facet) {
  const values = valuesOf(facet);
  if (values.length < 2 && !state.facets[facet].size) return null;
  const list = make("ul", { class: values.length > 9 ? "options long" : "options" });
  for (const value of values) {
    const box = make("input", { type: "checkbox", "data-facet": facet, "data-value": value });
    box.addEventListener("change", () => {
      if (box.checked) state.facets[facet].add(value);
      else state.facets[facet].delete(value);
      backToTop();
      changed();
    });
    const hint = meaningOf(KINDS[facet], value) || null;
    list.append(
      make(
        "li",
        null,
        make(
          "label",
          { class: "option", title: hint },
          box,
          make("span", { class: "option-name" }, nameOf(KINDS[facet], value)),
          make("span", { class: "number" }),
        ),
      ),
    );
  }
  return make(
    "details",
    { "data-facet": facet },
    make("summary", null, say(`facet-${facet}`)),
    list,
  );
}

function rangeGroup(range) {
  const has = (columns[range] || []).some((value) => value !== null);
  if (!has && state.ranges[range].every((end) => end === null)) return null;
  const [least, most, size] = range === "score" ? [1, 5, 0.5] : [0, 1, 0.05];
  const inputs = [0, 1].map((end) => {
    const label = `${say(`facet-${range}`)}: ${say(end ? "to" : "from")}`;
    const box = make("input", {
      type: "number",
      class: "field",
      min: least,
      max: most,
      step: size,
      "data-range": range,
      "data-end": end,
      placeholder: end ? most : least,
      "aria-label": label,
    });
    box.addEventListener("input", () => {
      state.ranges[range][end] =
        box.value === "" || !Number.isFinite(+box.value) ? null : +box.value;
      backToTop();
      changed();
    });
    return box;
  });
  return make(
    "details",
    { "data-facet": range },
    make("summary", null, say(`facet-${range}`)),
    make(
      "div",
      { class: "range" },
      inputs[0],
      make("span", { "aria-hidden": "true" }, "–"),
      inputs[1],
    ),
  );
}
