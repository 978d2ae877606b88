package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	udiff "github.com/aymanbagabas/go-udiff"

	"github.com/xshare/xshare/internal/proof"
)

// breakage is one way in which a share that works stops to work.
type breakage struct {
	broken string         // what is, in words
	prefix string         // what the share is limited to; empty: the whole bucket
	before func(*gallery) // what is there beside the share, which works with it
	breaks func(*gallery)
	answer string // what S3 then says, as gallery.calls words it

	seen    []string // the commands that fail for it: drift, verify, verify with a flag
	asks    []string // explain's arguments; nil: the share
	taken   bool     // without them, explain takes the call for one that works
	causes  []proof.Code
	unknown string // where it has no cause: what explain says that it does not know

	mend  string // apply, adopt, fragments, or what is done by hand, in words
	says  string // by hand: what of that explain says itself
	mends func(*gallery)
	then  []string // explain's arguments after it, where the request is another
}

// The mends that need no hand.
const (
	byApply     = "apply"
	byAdopt     = "apply --adopt"
	byFragments = "fragments"
)

// TestGallery breaks a working share in every way of the gallery, by the calls
// that do it in AWS too. What works before fails after, the commands see it,
// verify and explain name its cause and no other, and when that is mended all
// works again. It shows that the parts agree; that the evaluator is right is the
// matter of its own corpus.
//
// docs/gallery.md is written from what is seen here; -update writes it.
func TestGallery(t *testing.T) {
	clearAWS(t)
	bases := galleryBases{}
	all := slices.Concat(bucketBreakages, roleBreakages, denyBreakages, instanceBreakages, aboveBreakages, keyBreakages, callBreakages, userBreakages)
	var rows []string
	whole := true
	for i, b := range all {
		whole = t.Run(b.broken, func(t *testing.T) {
			rows = append(rows, b.play(t, bases, i+1))
		}) && whole
	}
	var refusals []string
	whole = t.Run("what AWS does not take", func(t *testing.T) { refusals = refused(t, bases) }) && whole
	if whole && len(rows) == len(all) && len(refusals) > 0 { // not where -run chose some
		holdGalleryPage(t, rows, refusals)
	}
}

// play is one breakage from beginning to end; it returns its row of the page.
func (b breakage) play(t *testing.T, bases galleryBases, number int) string {
	g := bases.open(t, b.prefix)
	defer g.close()
	if b.before != nil {
		b.before(g)
	}
	b.works(g, "before")

	g.journal.take()
	b.breaks(g)
	broken := g.wrote()
	if answer := g.calls(); answer != b.answer {
		t.Errorf("S3 answers %q, not %q", answer, b.answer)
	}
	b.watch(g)
	e := b.explained(g)

	g.journal.take()
	row := b.row(number, broken, b.amend(g, e), e.Verdict)
	if b.then != nil {
		b.asks = b.then
	}
	b.works(g, "after the mend")
	return row
}

// works holds that the share does: really, and for the commands.
func (b breakage) works(g *gallery, when string) {
	g.t.Helper()
	if answer := g.calls(); answer != "" {
		g.t.Fatalf("%s, S3 answers %q", when, answer)
	}
	if code, out := g.xshare("verify"); code != 0 {
		g.t.Fatalf("%s, verify: exit code %d\n%s", when, code, out)
	}
	if code, e, out := g.explain(b.asks); code != 0 || len(e.codes()) > 0 {
		g.t.Fatalf("%s, explain: exit code %d, causes %q\n%s", when, code, e.codes(), out)
	}
}

// watch holds which commands see that it is broken.
func (b breakage) watch(g *gallery) {
	g.t.Helper()
	commands := [][]string{{"drift", "drift"}, {"verify", "verify"}}
	for _, flag := range []string{"--probe", "--strict"} {
		if slices.Contains(b.seen, "verify "+flag) {
			commands = append(commands, []string{"verify " + flag, "verify", flag})
		}
	}
	for _, c := range commands {
		code, out := g.xshare(c[1:]...)
		if sees := code != 0; sees != slices.Contains(b.seen, c[0]) {
			g.t.Errorf("%s: exit code %d\n%s", c[0], code, out)
		}
	}
	if codes := g.verified(); slices.Contains(b.seen, "verify") && !slices.Equal(codes, b.causes) {
		g.t.Errorf("verify names the causes %q, not %q", codes, b.causes)
	}
}

// explained holds what explain makes of it.
func (b breakage) explained(g *gallery) explained {
	g.t.Helper()
	code, e, out := g.explain(b.asks)
	want := 1
	if len(b.causes) == 0 && !slices.Contains(b.seen, "verify") { // where verify fails without a cause, something is unreadable
		want = 0
	}
	if !slices.Equal(e.codes(), b.causes) || code != want {
		g.t.Errorf("explain: exit code %d, causes %q, not %d and %q\n%s", code, e.codes(), want, b.causes, out)
	}
	if len(b.causes) == 0 && (e.Verdict == proof.Denied || b.unknown == "" || !strings.Contains(e.notChecked(), b.unknown)) {
		g.t.Errorf("explain: %s, and %q is not among what it does not know:\n%s", e.Verdict, b.unknown, e.notChecked())
	}
	if slices.Contains(b.asks, "--context") {
		// What only the call tells is not known of the share, and so not allowed.
		want := proof.NotChecked
		if b.taken {
			want = proof.Allowed
		}
		if _, e, out := g.explain(nil); e.Verdict != want {
			g.t.Errorf("explain of the share: %s, not %s\n%s", e.Verdict, want, out)
		}
	}
	return e
}

// amend does what explain says, and returns the operations that it took by
// hand.
func (b breakage) amend(g *gallery, e explained) []string {
	g.t.Helper()
	switch b.mend {
	case byApply, byAdopt:
		command := "`xshare " + b.mend + "`"
		if !strings.Contains(e.mends(), command) {
			g.t.Errorf("explain does not say to run %s:\n%s", command, e.mends())
		}
		args := []string{"apply", "--yes"}
		if b.mend == byAdopt {
			args = append(args, "--adopt")
		}
		if code, out := g.xshare(args...); code != 0 {
			g.t.Fatalf("%v: exit code %d\n%s", args, code, out)
		}
		return nil
	case byFragments:
		if len(e.fragments()) == 0 {
			g.t.Fatalf("explain gives nothing to edit:\n%s", e.mends())
		}
		for _, f := range e.fragments() {
			g.edit(f)
		}
	default:
		if !strings.Contains(e.mends()+e.notChecked(), b.says) {
			g.t.Errorf("explain does not say %q:\n%s", b.says, e.mends())
		}
		b.mends(g)
	}
	return slices.Sorted(slices.Values(g.wrote())) // an apply among it has no order
}

const galleryPage = `# A gallery of breakages

Each line is one way in which a share that works stops to work, and was really played on the [sandbox](sandbox.md): by the calls of the third column, made with the AWS SDK as the administrator of the account. Before them the role puts, gets and lists objects in the other account's bucket, with the credentials that its instance gives it (or, in lines about a user, that user with its access key); after them S3 answers what the fourth column says. The fifth says which commands then end with a failure: ` + "`drift` (2, or 1 where something cannot be read or mended), `verify` (1), and, where only a real call shows it, `verify --probe`" + `. The sixth is the cause, and there is no other, that ` + "`xshare explain`" + ` names in its JSON, and ` + "`verify`" + ` where it sees it; where it hangs on the call, ` + "`--context`" + ` says how that is made, and of the share it says "not checked". The last is the mend that it gives; when that is done, all calls work again and nothing is complained of.

This page is written by a test, which fails where it is not true (` + "`go test ./cmd/xshare -run TestGallery -update`" + `).

| | what is broken | by | S3 answers | seen by | ` + "`explain`" + ` names | mended by |
|--:|---|---|---|---|---|---|
`

const galleryRefusals = `
## What breaks nothing

These are misprints that AWS does not take, so that they never come into effect.

| what | by | the answer |
|---|---|---|
`

func (b breakage) row(number int, broken, mended []string, verdict proof.Verdict) string {
	by := "no call that changes anything"
	if len(broken) > 0 {
		by = operationsInCode(broken)
	}
	seen := "none"
	if len(b.seen) > 0 {
		seen = operationsInCode(b.seen)
	}
	names := ""
	for i, c := range b.causes {
		if i > 0 {
			names += ", "
		}
		names += "`" + string(c) + "`"
	}
	if names == "" {
		names = map[proof.Verdict]string{proof.Allowed: "none, and ", proof.NotChecked: "none: "}[verdict] + "not checked: " + b.unknown
	}
	if len(b.asks) > 0 && slices.Contains(b.asks, "--context") {
		names += " (with `--context " + b.asks[slices.Index(b.asks, "--context")+1] + "`)"
	}
	mend := b.mend
	switch b.mend {
	case byApply, byAdopt:
		mend = "`xshare " + b.mend + "`"
	case byFragments:
		mend = "the statements that it gives, by " + operationsInCode(mended)
	default:
		if len(mended) > 0 {
			mend += ": " + operationsInCode(mended)
		}
	}
	return fmt.Sprintf("| %d | %s | %s | %s | %s | %s | %s |\n", number, b.broken, by, b.answer, seen, names, mend)
}

func operationsInCode(list []string) string {
	return "`" + strings.Join(list, "`, `") + "`"
}

// holdGalleryPage holds docs/gallery.md to what was seen, or writes it.
func holdGalleryPage(t *testing.T, rows, refusals []string) {
	t.Helper()
	page := filepath.Join("..", "..", "docs", "gallery.md")
	want := galleryPage + strings.Join(rows, "") + galleryRefusals + strings.Join(refusals, "")
	if *update {
		if err := os.WriteFile(page, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	have, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	if string(have) != want {
		t.Errorf("docs/gallery.md is not what is seen; -update writes it:\n%s", udiff.Unified("docs/gallery.md", "seen", string(have), want))
	}
}
