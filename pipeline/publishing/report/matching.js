/* Find what a reader typed: case-folded, composed, Hangul by syllables, by initial consonants and
 * by half-typed syllables.
 *
 * A text is searched in two forms of equal length: folded, and with each Hangul syllable replaced
 * by its initial consonant. Native indexOf finds candidates in one of them; a candidate is then
 * compared letter by letter. So a search costs one pass of indexOf over the text.
 */

const FIRST_SYLLABLE = 0xac00;
const LAST_SYLLABLE = 0xd7a3;
const INITIALS = "ㄱㄲㄴㄷㄸㄹㅁㅂㅃㅅㅆㅇㅈㅉㅊㅋㅌㅍㅎ";
const FINALS = " ㄱㄲㄳㄴㄵㄶㄷㄹㄺㄻㄼㄽㄾㄿㅀㅁㅂㅄㅅㅆㅇㅈㅊㅋㅌㅍㅎ".split("");
const INITIAL_CODES = Array.from(INITIALS, (letter) => letter.charCodeAt(0));
/** Input methods join consonants that are typed one after the other. */
const JOINED = {
  ㄳ: "ㄱㅅ",
  ㄵ: "ㄴㅈ",
  ㄶ: "ㄴㅎ",
  ㄺ: "ㄹㄱ",
  ㄻ: "ㄹㅁ",
  ㄼ: "ㄹㅂ",
  ㄽ: "ㄹㅅ",
  ㄾ: "ㄹㅌ",
  ㄿ: "ㄹㅍ",
  ㅀ: "ㄹㅎ",
  ㅄ: "ㅂㅅ",
};

/** Fold for search: composed, small letters, one kind of space. */
function fold(text) {
  return text.normalize("NFC").toLowerCase().replace(/\s/g, " ").replaceAll("ς", "σ");
}

function isSyllable(code) {
  return code >= FIRST_SYLLABLE && code <= LAST_SYLLABLE;
}

function initialOf(letter) {
  const code = letter.charCodeAt(0);
  if (!isSyllable(code)) return letter;
  return INITIALS[Math.floor((code - FIRST_SYLLABLE) / 588)];
}

/** Replace each syllable by its initial; the length stays. */
function toInitials(text) {
  if (!/[가-힣]/.test(text)) return text;
  const pieces = [];
  const codes = new Uint16Array(8192);
  for (let start = 0; start < text.length; start += codes.length) {
    const size = Math.min(codes.length, text.length - start);
    for (let i = 0; i < size; i++) {
      const code = text.charCodeAt(start + i);
      codes[i] = isSyllable(code) ? INITIAL_CODES[((code - FIRST_SYLLABLE) / 588) | 0] : code;
    }
    pieces.push(
      String.fromCharCode.apply(null, size === codes.length ? codes : codes.subarray(0, size)),
    );
  }
  return pieces.join("");
}

/** Read a query: terms that must all occur; "in quotes" is one term. */
function readQuery(query) {
  const terms = [];
  const folded = fold(query).replace(/[\u0000-\u001f]/g, " ");
  for (const found of folded.matchAll(/"([^"]*)"?|[^\s"]+/g)) {
    const quoted = found[0].startsWith('"');
    const text = quoted ? found[1].trim() : found[0];
    if (!text) continue;
    const isLast = found.index + found[0].length === folded.length;
    terms.push(makeTerm(text, isLast && !quoted));
  }
  return terms;
}

function makeTerm(text, isGrowing) {
  let letters = text;
  if (!/[가-힣]/.test(text))
    letters = text.replace(/[ㄳㄵㄶㄺㄻㄼㄽㄾㄿㅀㅄ]/g, (one) => JOINED[one]);
  const hasInitials = /[ㄱ-ㅎ]/.test(letters);
  const last = letters.charCodeAt(letters.length - 1);
  const isFlexible = isGrowing && isSyllable(last);
  const term = { letters, hasInitials, isFlexible, stem: letters.slice(0, -1), tails: [] };
  term.initials = hasInitials || isFlexible ? toInitials(letters) : "";
  if (isFlexible) term.tails = growths(letters.at(-1));
  return term;
}

/** What a half-typed syllable may become: 우 → 우…웋; 각 → 각, or 가 and a ㄱ after it. */
function growths(letter) {
  const offset = letter.charCodeAt(0) - FIRST_SYLLABLE;
  const final = offset % 28;
  const open = offset - final + FIRST_SYLLABLE;
  if (final === 0) return [{ from: open, to: open + 27, next: "" }];
  const parts = JOINED[FINALS[final]];
  const next = parts ? parts[1] : FINALS[final];
  const rest = open + (parts ? FINALS.indexOf(parts[0]) : 0);
  const itself = { from: offset + FIRST_SYLLABLE, to: offset + FIRST_SYLLABLE, next: "" };
  // A single final may become the first half of a joined one: 달 → 닭.
  const joined = Object.entries(JOINED)
    .filter(([, pair]) => pair[0] === FINALS[final])
    .map(([both]) => FINALS.indexOf(both))
    .filter((place) => place > 0)
    .map((place) => ({ from: open + place, to: open + place, next: "" }));
  return [itself, ...joined, { from: rest, to: rest, next }];
}

/** Find a term from a place on; the place or -1. */
function findTerm(term, folded, initials, from) {
  if (!term.hasInitials && !term.isFlexible) return folded.indexOf(term.letters, from);
  const byStem = !term.hasInitials && term.stem;
  const text = byStem ? folded : initials;
  const anchor = byStem ? term.stem : term.initials;
  let at = text.indexOf(anchor, from);
  while (at >= 0 && !matchedLength(term, folded, at)) at = text.indexOf(anchor, at + 1);
  return at;
}

/** Letters that a term covers at this place; 0 where it does not stand there. */
function matchedLength(term, folded, at) {
  const size = term.letters.length;
  const exact = term.isFlexible ? size - 1 : size;
  for (let i = 0; i < exact; i++) {
    const wanted = term.letters[i];
    const found = folded[at + i];
    if (found === undefined) return 0;
    if (wanted !== found && !(INITIALS.includes(wanted) && initialOf(found) === wanted)) return 0;
  }
  if (!term.isFlexible) return size;
  const code = folded.charCodeAt(at + size - 1);
  for (const { from, to, next } of term.tails) {
    if (code >= from && code <= to) {
      if (!next) return size;
      if (at + size < folded.length && initialOf(folded[at + size]) === next) return size + 1;
    }
  }
  return 0;
}

/** Where the terms stand in a text as it is shown: sorted [start, end) pairs, not overlapping. */
function findMarks(text, terms) {
  if (!terms.length || !text) return [];
  const { folded, places } = foldWithPlaces(text);
  const initials = terms.some((term) => term.initials) ? toInitials(folded) : "";
  const marks = [];
  for (const term of terms) {
    let at = findTerm(term, folded, initials, 0);
    for (let found = 0; at >= 0 && found < 500; found++) {
      const end = at + (matchedLength(term, folded, at) || term.letters.length);
      marks.push([places ? places[at] : at, places ? places[end] : end]);
      at = findTerm(term, folded, initials, end);
    }
  }
  marks.sort((one, other) => one[0] - other[0]);
  const apart = [];
  for (const mark of marks) {
    const last = apart.at(-1);
    if (last && mark[0] <= last[1]) last[1] = Math.max(last[1], mark[1]);
    else apart.push(mark);
  }
  return apart;
}

/** Fold, and know for each folded letter where it comes from, if folding moved any. */
function foldWithPlaces(text) {
  const folded = fold(text);
  if (folded.length === text.length && text.normalize("NFC").length === text.length) {
    return { folded, places: null };
  }
  const pieces = [];
  const places = [];
  // A base letter and the marks or jamo that compose with it are folded together.
  for (const found of text.matchAll(/\P{M}?[\p{M}\u1160-\u11ff]*/gsu)) {
    const piece = fold(found[0]);
    pieces.push(piece);
    for (let i = 0; i < piece.length; i++) places.push(found.index);
  }
  places.push(text.length);
  return { folded: pieces.join(""), places };
}

/** Text with marked places, as nodes. */
function markedText(text, terms) {
  const marks = findMarks(text, terms);
  const nodes = [];
  let at = 0;
  for (const [start, end] of marks) {
    if (start > at) nodes.push(text.slice(at, start));
    nodes.push(make("mark", null, text.slice(start, end)));
    at = end;
  }
  nodes.push(text.slice(at));
  return nodes;
}
