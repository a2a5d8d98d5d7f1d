/* The report's page: state, wiring and keys. Loaded last of the page's scripts.
 *
 * WHAT review.js CAN USE (only in review mode, where the page is served by `./pacaloom review`)
 *
 * review.js runs after this script, in its own closure. It finds an empty <div id="review"> that
 * always exists; the page shows it at the top of a record's view, below the heading. Build your
 * controls in it once and fill them in onOpen. The page never empties it.
 *
 * window.pacaloom = {
 *   ready                Promise, resolved with the number of records when all of them are loaded.
 *   records.count        Rows, kept and rejected (as far as they are loaded; all after `ready`).
 *   records.get(id)      The row with this id, or null. Ids may repeat: a rejected duplicate has
 *                        the id of the record it repeats; then this is the kept one.
 *   current()            The row whose view is open, or null.
 *   onOpen(callback)     callback(row) each time a record's view is shown or another one takes its
 *                        place, also once at once if one is open; callback(null) when it closes.
 *   onLanguage(callback) callback("en" | "ko"): at once, and when the reader switches.
 *   refresh(id, {decision})
 *                        Show another decision for this id: badge, filter and counts. null takes
 *                        it away. Fields as schemas.review.ReviewDecision has them:
 *                        {verdict: "accept" | "reject" | "edit", edited: {instruction, input,
 *                        output} | null, note, author, time}.
 *   next(), previous()   Open the next or previous row of the table as it is filtered and sorted.
 *   say(text)            Show a short message at the foot of the page and tell it to screen
 *                        readers; plain text.
 * }
 * A row is a plain copy: {id, kept, split, language, instruction, input, output, cut, stage,
 * reason, detail, decision}. `split` is "train", "validation" or null; `stage`, `reason` and
 * `detail` are null for kept ones; `decision` is the last one or null. `cut` is true where a text
 * is so long that the page holds only its beginning: do not edit such a row from these fields.
 *
 * Keys that the page uses while no text field has the focus: / j k arrows Home End PageUp PageDown
 * Enter Escape ? o t c. Free for review.js: a, r, e, u and digits.
 *
 * Rules of the page, enforced by its content security policy: text only by textContent (innerHTML
 * throws: trusted types are required), no inline handlers and no style attributes (element.style.x
 * works), no eval; fetch only to the own origin. Colours come from the custom properties of
 * page.css: --ground --surface --raised --ink --muted --line --accent --accent-ink --kept
 * --dropped --edited; components: .button .button.primary .field .badge.
 */
