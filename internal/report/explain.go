package report

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/xshare/xshare/internal/proof"
	"github.com/xshare/xshare/plan"
)

// Explain writes explanations, one screen each: the verdict, why it fails, the
// mend with the statements to take out and to put in, then what every side has
// to say. Sides of which there is nothing are left out; see ExplainJSON.
func Explain(w io.Writer, list []proof.Explanation, style Style) error {
	p := newPrinter(w, style)
	seen := written{}
	for i, e := range list {
		if i > 0 {
			p.blank()
		}
		p.explanation(e, seen)
	}
	return p.done()
}

func (p *printer) explanation(e proof.Explanation, seen written) {
	word, c := verdict(e.Verdict)
	about := clean(e.Principal) + ", bucket " + clean(e.Bucket)
	if e.Share != "" {
		about = fmt.Sprintf("%s: %s, %s", clean(e.Share), clean(e.Consumer), clean(e.Promise))
	}
	p.labelled(p.paint(c, fmt.Sprintf("%-12s", word)), bold, about)
	keys := shortKeys{}
	decisive, rest := decisiveNotes(e)
	for _, what := range decisive {
		p.labelled(p.paint(yellow, "not checked: "), plain, clean(keys.shorten(seen.once(what))))
	}
	if len(decisive) > 0 {
		p.asks(e)
	}
	for i, root := range e.Roots {
		if i > 0 {
			p.blank()
		}
		p.labelled(p.paint(red, "cause: "), plain, clean(keys.shorten(root.Message)))
		p.labelled("mend:  ", plain, clean(root.Mend))
		for _, f := range root.Fragments {
			p.fragment(f)
		}
	}
	if len(e.Roots)+len(decisive) > 0 && len(e.Screens)+len(e.Use) > 0 {
		p.blank()
	}
	var works []string
	for _, s := range e.Screens {
		if e.Share != "" && e.Verdict == proof.Denied && s.Verdict == proof.Allowed {
			for _, r := range s.Requests {
				works = append(works, clean(r.Action))
			}
			continue
		}
		p.screen(s, keys, seen)
	}
	if len(works) > 0 {
		slices.Sort(works)
		word, c := verdict(proof.Allowed)
		p.labelled("  "+p.paint(c, fmt.Sprintf("%-12s", word)), plain, strings.Join(slices.Compact(works), ", "))
	}
	p.sides(e.Use, keys, seen)
	rest = slices.DeleteFunc(slices.Clone(rest), seen.has)
	if len(rest) > 0 {
		p.blank()
	}
	for _, what := range rest {
		p.labelled(p.paint(yellow, "not checked: "), plain, clean(keys.shorten(seen.once(what))))
	}
}

// asks writes how a call is asked about on which a share's verdict hangs, ready
// to be copied but for the condition key, which is named above it.
func (p *printer) asks(e proof.Explanation) {
	for _, s := range e.Screens {
		for _, r := range s.Requests {
			if args := r.Asks(e.Principal); e.Share != "" && args != nil {
				p.line("ask:   xshare explain " + clean(strings.Join(args, " ")) + " --context KEY=VALUE")
				p.line("       or see what real calls say: xshare verify --probe --only " + clean(e.Share))
				return
			}
		}
	}
}

// written are long texts that were written already, and such ends of texts, which
// say why something could not be read.
type written map[string]bool

// long is of a text that is not to be read twice.
const long = 60

// has reports whether all of a text was written.
func (t written) has(text string) bool { return len(text) > long && t[text] }

// once is a text, or what of it was not written yet.
func (t written) once(text string) string {
	if t.has(text) {
		return "as above"
	}
	t[text] = true
	head, why, ok := strings.Cut(text, ": ")
	if !ok || len(why) <= long {
		return text
	}
	if t[why] {
		return head + ": as above"
	}
	t[why] = true
	return text
}

// decisiveNotes tells what was not checked and makes the verdict, which stands
// first, from what else was not.
func decisiveNotes(e proof.Explanation) (decisive, rest []string) {
	if e.Verdict != proof.NotChecked {
		return nil, e.NotChecked
	}
	for _, what := range e.NotChecked {
		if slices.Contains(proof.NeverChecked(), what) {
			rest = append(rest, what)
		} else {
			decisive = append(decisive, what)
		}
	}
	return decisive, rest
}

// shortKeys are the keys of KMS whose ARNs were written out already.
type shortKeys map[string]bool

var keyARN = regexp.MustCompile(`(?:\bkey )?(arn:[a-z0-9-]+:kms:[a-z0-9-]+:[0-9]{12}:key/((?:mrk-)?[0-9a-f]{8})[0-9a-f-]+)`)

// shorten writes the ARN of a key out where it is named first, and then short.
func (k shortKeys) shorten(text string) string {
	return keyARN.ReplaceAllStringFunc(text, func(match string) string {
		parts := keyARN.FindStringSubmatch(match)
		if !k[parts[1]] {
			k[parts[1]] = true
			return match
		}
		return "key " + parts[2] + "…"
	})
}

// screen writes requests that fare alike, and what each side says of them.
func (p *printer) screen(s proof.Screen, keys shortKeys, seen written) {
	word, c := verdict(s.Verdict)
	for _, line := range requestLines(s.Requests, keys) {
		p.labelled("  "+p.paint(c, fmt.Sprintf("%-12s", word)), plain, line)
	}
	if len(s.Parts) == 0 && s.Requests[0].Reason != "" {
		p.wrapped("    ", plain, clean(keys.shorten(seen.once(s.Requests[0].Reason))))
	}
	p.sides(s.Parts, keys, seen)
}

// requestLines are requests in words: those on one resource are one line, as are
// resources on which the same is asked, and the prefixes of those that list.
func requestLines(requests []proof.Check, keys shortKeys) []string {
	type of struct{ action, on string }
	var order []of
	prefixes := map[of][]string{}
	for _, r := range requests {
		one := of{clean(r.Action), clean(keys.shorten(proof.Shown(r.Resource)))}
		prefix := ""
		for _, key := range slices.Sorted(maps.Keys(r.Context)) {
			value := clean(keys.shorten(proof.Shown(r.Context[key])))
			if key == "s3:prefix" && value != "" {
				prefix = value
				continue
			}
			one.on += fmt.Sprintf(", %s %s", clean(key), value)
		}
		if prefix != "" {
			one.on += ", s3:prefix "
		}
		if prefixes[one] == nil {
			order = append(order, one)
		}
		prefixes[one] = append(prefixes[one], prefix)
	}
	actions, resources := ordered{}, ordered{}
	for _, one := range order {
		actions.add(one.on+strings.Join(slices.Compact(prefixes[one]), ", "), one.action)
	}
	for _, on := range actions.keys {
		resources.add(strings.Join(actions.of[on], ", "), on)
	}
	lines := make([]string, 0, len(resources.keys))
	for _, those := range resources.keys {
		lines = append(lines, those+" on "+strings.Join(resources.of[those], ", "))
	}
	return lines
}

// ordered are texts by a key, in the order in which they came.
type ordered struct {
	keys []string
	of   map[string][]string
}

func (o *ordered) add(key, text string) {
	if o.of == nil {
		o.of = map[string][]string{}
	}
	if o.of[key] == nil {
		o.keys = append(o.keys, key)
	}
	o.of[key] = append(o.of[key], text)
}

func (p *printer) sides(list []proof.Part, keys shortKeys, seen written) {
	for _, part := range list {
		if part.State == proof.StateNone && part.Text == nothing {
			continue
		}
		text := part.Text
		if part.State == proof.StateNotChecked {
			text = seen.once(text)
		}
		word, c := state(part.State)
		p.labelled(fmt.Sprintf("    %-21s%s ", part.Side, p.paint(c, fmt.Sprintf("%-12s", word))), plain, clean(keys.shorten(text)))
	}
}

// nothing is the text of a side of which there is nothing.
const nothing = "there is none"

// state is a state in words.
func state(s proof.State) (string, colour) {
	switch s {
	case proof.StateOK:
		return "ok", green
	case proof.StateLacking:
		return "lacking", red
	case proof.StateDenies:
		return "denies", red
	case proof.StateNotChecked:
		return "not checked", yellow
	}
	return "-", plain
}

// fragment writes an edit, its statements ready to be copied: of one that goes
// out, only its Sid where it has one. The mend says where.
func (p *printer) fragment(f proof.Fragment) {
	add := "add:"
	if f.Remove != nil {
		var statement struct{ Sid string }
		if json.Unmarshal(f.Remove, &statement) == nil && statement.Sid != "" {
			p.line("       remove: statement " + clean(fmt.Sprintf("%q", statement.Sid)))
		} else {
			p.line("       remove:")
			p.json(f.Remove)
		}
		add = "add in its place:"
	}
	if f.Add != nil {
		p.line("       " + add)
		p.json(f.Add)
	}
}

func (p *printer) json(statement json.RawMessage) {
	var text bytes.Buffer
	if json.Indent(&text, statement, "", "  ") != nil {
		text.Reset()
		text.Write(statement)
	}
	for line := range strings.Lines(text.String()) {
		p.line("         " + clean(strings.TrimRight(line, "\r\n")))
	}
}

type explainDocument struct {
	FormatVersion int                   `json:"formatVersion"`
	Verdict       proof.Verdict         `json:"verdict"`
	Explanations  []explanationDocument `json:"explanations"`
}

type explanationDocument struct {
	Share      string           `json:"share"`
	Consumer   string           `json:"consumer"`
	Promise    string           `json:"promise"`
	Principal  string           `json:"principal"`
	Bucket     string           `json:"bucket"`
	Verdict    proof.Verdict    `json:"verdict"`
	Requests   []screenDocument `json:"requests"`
	Use        []partDocument   `json:"use"`
	Causes     []rootDocument   `json:"causes"`
	NotChecked []string         `json:"notChecked"`
}

type screenDocument struct {
	Verdict proof.Verdict   `json:"verdict"`
	Checks  []checkDocument `json:"checks"`
	Sides   []partDocument  `json:"sides"`
}

type partDocument struct {
	Side  string      `json:"side"`
	State proof.State `json:"state"`
	Text  string      `json:"text"`
}

type rootDocument struct {
	causeDocument
	Fragments []fragmentDocument `json:"fragments"`
}

type fragmentDocument struct {
	Side    string          `json:"side"`
	Account string          `json:"account"`
	Policy  string          `json:"policy"`
	Remove  json.RawMessage `json:"remove"`
	Add     json.RawMessage `json:"add"`
}

// ExplainJSON writes explanations, as docs/json.md has them. share, consumer and
// promise are empty where a principal was asked about. Lists are never null.
func ExplainJSON(w io.Writer, list []proof.Explanation) error {
	d := explainDocument{FormatVersion: plan.FormatVersion, Verdict: proof.WorstOf(list), Explanations: make([]explanationDocument, 0, len(list))}
	for _, e := range list {
		doc := explanationDocument{
			Share: e.Share, Consumer: e.Consumer, Promise: e.Promise, Principal: e.Principal, Bucket: e.Bucket, Verdict: e.Verdict,
			Requests: make([]screenDocument, 0, len(e.Screens)), Use: partsJSON(e.Use),
			Causes: make([]rootDocument, 0, len(e.Roots)), NotChecked: append([]string{}, e.NotChecked...),
		}
		for _, s := range e.Screens {
			doc.Requests = append(doc.Requests, screenDocument{Verdict: s.Verdict, Checks: checksJSON(s.Requests), Sides: partsJSON(s.Parts)})
		}
		for _, root := range e.Roots {
			cause := rootDocument{causeDocument: causeJSON(root.Cause), Fragments: make([]fragmentDocument, 0, len(root.Fragments))}
			for _, f := range root.Fragments {
				cause.Fragments = append(cause.Fragments, fragmentDocument(f))
			}
			doc.Causes = append(doc.Causes, cause)
		}
		d.Explanations = append(d.Explanations, doc)
	}
	return writeJSON(w, d)
}

func checksJSON(list []proof.Check) []checkDocument {
	docs := make([]checkDocument, 0, len(list))
	for _, c := range list {
		doc := checkDocument(c)
		if doc.Context == nil {
			doc.Context = map[string]string{}
		}
		docs = append(docs, doc)
	}
	return docs
}

func partsJSON(list []proof.Part) []partDocument {
	docs := make([]partDocument, 0, len(list))
	for _, p := range list {
		docs = append(docs, partDocument(p))
	}
	return docs
}

func causeJSON(c proof.Cause) causeDocument {
	return causeDocument{Code: c.Code, Message: c.Message, Mend: c.Mend, Account: c.Account, Resource: c.Resource}
}
