/* What differs between two texts: by words, and inside Korean words by syllables.
 *
 * Longest common subsequence after cutting what both begin and end with; texts whose middle parts
 * are too long for its table are shown as wholly different there.
 */

const MOST_CELLS = 4_000_000;
const LIKE_ENOUGH = 0.4;
/** Of texts that have less than this in common, marks would cover all and show nothing. */
const WORTH_MARKING = 0.2;

function toWords(text) {
  return text.match(/\s+|[\p{L}\p{N}\p{M}_]+|[^\s\p{L}\p{N}\p{M}_]/gu) || [];
}

/** Pairs of pieces: [{left, right, same}], in order; one side may be empty. */
function compareTexts(left, right) {
  const pieces = compareTokens(toWords(left), toWords(right));
  return pieces.flatMap((piece) =>
    piece.same || !isKoreanPair(piece) ? [piece] : compareInside(piece),
  );
}

function isKoreanPair({ left, right }) {
  return left && right && /[가-힣]/.test(left) && /[가-힣]/.test(right);
}

/** Words that share most syllables differ by a particle or an ending: mark only that. */
function compareInside(piece) {
  const inner = compareTokens(Array.from(piece.left), Array.from(piece.right));
  return shareInCommon(inner) >= LIKE_ENOUGH ? inner : [piece];
}

/** Letters that both texts have, by the letters of the longer one. */
function shareInCommon(pieces) {
  const size = (letters) => pieces.reduce((sum, piece) => sum + letters(piece).trim().length, 0);
  const longer = Math.max(
    size((piece) => piece.left),
    size((piece) => piece.right),
  );
  return longer ? size((piece) => (piece.same ? piece.left : "")) / longer : 1;
}

function compareTokens(left, right) {
  let start = 0;
  while (start < left.length && start < right.length && left[start] === right[start]) start++;
  let end = 0;
  while (
    end < left.length - start &&
    end < right.length - start &&
    left[left.length - 1 - end] === right[right.length - 1 - end]
  )
    end++;
  const middle = compareMiddle(
    left.slice(start, left.length - end),
    right.slice(start, right.length - end),
  );
  return join([same(left.slice(0, start)), ...middle, same(left.slice(left.length - end))]);
}

function same(tokens) {
  const text = tokens.join("");
  return { left: text, right: text, same: true };
}

function compareMiddle(left, right) {
  const width = right.length + 1;
  if (!left.length || !right.length || (left.length + 1) * width > MOST_CELLS) {
    return [{ left: left.join(""), right: right.join(""), same: false }];
  }
  const table = new Uint16Array((left.length + 1) * width);
  for (let i = left.length - 1; i >= 0; i--) {
    for (let j = right.length - 1; j >= 0; j--) {
      table[i * width + j] =
        left[i] === right[j]
          ? table[(i + 1) * width + j + 1] + 1
          : Math.max(table[(i + 1) * width + j], table[i * width + j + 1]);
    }
  }
  return walk(left, right, table, width);
}

function walk(left, right, table, width) {
  const pieces = [];
  let i = 0;
  let j = 0;
  while (i < left.length || j < right.length) {
    if (i < left.length && j < right.length && left[i] === right[j]) {
      pieces.push(same([left[i++]]));
      j++;
    } else if (
      j >= right.length ||
      (i < left.length && table[(i + 1) * width + j] >= table[i * width + j + 1])
    ) {
      pieces.push({ left: left[i++], right: "", same: false });
    } else {
      pieces.push({ left: "", right: right[j++], same: false });
    }
  }
  return pieces;
}

/** Join neighbours of one kind; a lone space between two differences belongs to them. */
function join(pieces) {
  const joined = [];
  for (const [place, piece] of pieces.entries()) {
    if (!piece.left && !piece.right) continue;
    const last = joined.at(-1);
    const isGap =
      piece.same &&
      !piece.left.trim() &&
      last &&
      !last.same &&
      pieces[place + 1] &&
      !pieces[place + 1].same;
    if (last && (last.same === piece.same || isGap)) {
      last.left += piece.left;
      last.right += piece.right;
    } else {
      joined.push({ ...piece });
    }
  }
  return joined;
}

/** One side of a comparison as nodes; what only this side has is marked. */
function differenceNodes(pieces, side) {
  return pieces
    .filter((piece) => piece[side])
    .map((piece) =>
      piece.same ? piece[side] : make(side === "left" ? "ins" : "del", null, piece[side]),
    );
}
