package report

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/xshare/xshare/executor"
)

func TestClean(t *testing.T) {
	tests := map[string]struct{ in, want string }{
		"plain":            {"arn:aws:s3:::b/*", "arn:aws:s3:::b/*"},
		"letters":          {"Zürich 日本語 é", "Zürich 日本語 é"},
		"lines":            {"a\nb\tc\r\nd", "a b c  d"},
		"escape":           {"\x1b[2Jx", `\x1b[2Jx`},
		"C1 control":       {"a\u009b31mb", `a\x9b31mb`},
		"right to left":    {"a\u202eb", `a\u202eb`},
		"isolate":          {"a\u2066b", `a\u2066b`},
		"zero width":       {"a\u200bb\ufeff", `a\u200bb\ufeff`},
		"tag":              {"a\U000e0041", `a\U000e0041`},
		"paragraph":        {"a\u2029b", `a\u2029b`},
		"no UTF-8":         {"a\xffb", `a\xffb`},
		"replacement rune": {"a\ufffdb", "a\ufffdb"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if got := clean(tt.in); got != tt.want {
				t.Errorf("clean(%q) = %q, want %q", tt.in, got, tt.want)
			}
		})
	}
}

func TestCleanIsClean(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in := string(rapid.SliceOf(rapid.Byte()).Draw(t, "bytes")) + rapid.String().Draw(t, "text")
		got := clean(in)
		for _, r := range got {
			if hidden(r) {
				t.Fatalf("clean(%q) = %q has %U", in, got, r)
			}
		}
		if clean(got) != got {
			t.Fatalf("clean(%q) is not clean", got)
		}
	})
}

func TestWrap(t *testing.T) {
	const sentence = "the policy of bucket b does not name arn:aws:iam::222222222222:role/x at all"
	tests := map[string]struct {
		text        string
		first, rest int
		want        []string
	}{
		"no width":   {sentence, 0, 0, []string{sentence}},
		"fits":       {sentence, 80, 78, []string{sentence}},
		"breaks":     {sentence, 30, 28, []string{"the policy of bucket b does", "not name", "arn:aws:iam::222222222222:role/x", "at all"}},
		"wide runes": {"日本語 日本語 日本語 日本語", 20, 20, []string{"日本語 日本語 日本語", "日本語"}},
		"empty":      {"", 40, 40, []string{""}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, wrap(tt.text, tt.first, tt.rest)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestCount(t *testing.T) {
	for want, got := range map[string]string{
		"0 shares": count(0, "share"), "1 share": count(1, "share"), "2 policies": count(2, "policy"),
	} {
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func TestUnpainted(t *testing.T) {
	text := "  " + paint(Style{Color: true}, red, "cause: ") + "x"
	if got := unpainted(text); got != "  cause: x" || !strings.Contains(text, "\x1b[31m") {
		t.Errorf("%q from %q", got, text)
	}
}

// When the terminal cannot be drawn on any more, lines are still written.
func TestProgressWithoutDrawing(t *testing.T) {
	var b strings.Builder
	p := NewProgress(&b, true, Style{Width: 80})
	p.container.Shutdown()
	p.Handle(executor.Event{Kind: executor.EventReading, Account: "111111111111", Total: 1})
	p.Handle(executor.Event{Kind: executor.EventRead, Account: "111111111111", Err: errors.New("denied"), Finished: 1, Total: 1})
	p.Close()
	if want := "111111111111  cannot be read: denied\n"; b.String() != want {
		t.Errorf("%q, want %q", b.String(), want)
	}
}
