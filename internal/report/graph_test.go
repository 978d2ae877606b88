package report_test

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"
	"unicode"
	"unicode/utf8"

	"pgregory.net/rapid"

	"github.com/xshare/xshare/internal/report"
	"github.com/xshare/xshare/specs"
)

const graphRepositoryYAML = `apiVersion: xshare/v1
kind: Repository
metadata: {name: acme-data}
spec:
  region: us-east-1
  deployRole: xshare-deployer
  accounts:
    lake:      {id: "111111111111"}
    analytics: {id: "222222222222"}
    partner:   {id: "333333333333", manage: false}
    old:       {id: "444444444444", retired: true}
`

const graphSharesYAML = `apiVersion: xshare/v1
kind: Share
metadata: {name: events}
spec:
  bucket: {name: acme-events, account: lake, create: true}
  consumers:
    - account: analytics
      role: {name: shared/reader, create: true, trust: lambda}
      access: read
      prefixes: [a/, b/, c/, d/, e/]
    - account: partner
      role: {name: "load\"er's&<b>/in"}
      access: [write, delete]
---
apiVersion: xshare/v1
kind: Share
metadata: {name: events-tags}
spec:
  bucket: {name: acme-events, account: lake, create: true}
  consumers:
    - account: analytics
      role: {name: shared/reader, create: true, trust: lambda}
      access: list
      actions: [s3:GetObjectTagging]
---
apiVersion: xshare/v1
kind: Share
metadata: {name: reports}
spec:
  bucket: {name: acme-reports, account: analytics}
  consumers:
    - account: analytics
      role: {name: auditor}
      access: list
`

func everyShare(string) bool { return true }

func graphOf(t *testing.T, only func(string) bool) *report.Graph {
	t.Helper()
	repo, problems := specs.Load(fstest.MapFS{
		"xshare.yaml":        {Data: []byte(graphRepositoryYAML)},
		"shares/shares.yaml": {Data: []byte(graphSharesYAML)},
	})
	if repo == nil {
		t.Fatal(specs.Errors(problems))
	}
	return report.NewGraph(repo, only)
}

// graphFormats are the views of a graph, by the end of their golden files.
var graphFormats = map[string]func(*report.Graph, io.Writer) error{
	"mmd": (*report.Graph).Mermaid, "dot": (*report.Graph).Dot, "html": (*report.Graph).HTML,
}

func graphText(t interface {
	Helper()
	Fatal(args ...any)
}, format string, g *report.Graph,
) string {
	t.Helper()
	var b bytes.Buffer
	if err := graphFormats[format](g, &b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestGraph(t *testing.T) {
	for format := range graphFormats {
		t.Run(format, func(t *testing.T) {
			golden(t, "graph."+format, []byte(graphText(t, format, graphOf(t, everyShare))))
			golden(t, "graph-empty."+format, []byte(graphText(t, format, graphOf(t, func(string) bool { return false }))))
		})
	}
}

// TestGraphSelected draws what is selected, and nothing that only others have.
func TestGraphSelected(t *testing.T) {
	g := graphOf(t, func(share string) bool { return share == "reports" })
	for format := range graphFormats {
		text := graphText(t, format, g)
		if strings.Contains(text, "events") || strings.Contains(text, "lake") || !strings.Contains(text, "acme-reports") {
			t.Errorf("%s draws other shares' or not the selected one's:\n%s", format, text)
		}
	}
}

// hostile are texts that want out of a label.
var hostile = map[string]string{
	"quotes":                `"' " onload="x`,
	"brackets":              `)]}>"]) --> x[("`,
	"backslash at the end":  `name\`,
	"escapes of dot":        `\N\G\l\"`,
	"a new statement":       "x\"]\n  click r1 \"javascript:alert(1)\"\n",
	"carriage return":       "x\rclick r1 href \"https://example.com\"",
	"an arrow":              `a --> b ==> c -- d`,
	"the end of a comment":  `--> <!-- --!>`,
	"the end of an element": `</title></style></svg></script><script>alert(1)</script>`,
	"an element":            `<img src=x onerror=alert(1)>`,
	"a directive":           `%%{init: {"securityLevel": "loose"}}%%`,
	"front matter":          "---\nconfig:\n  securityLevel: loose\n---",
	"a comment":             `%% gone`,
	"the end of a fence":    "```\n# heading",
	"a markdown string":     "`**bold** _i_ [l](javascript:x)`",
	"a list":                "1. one",
	"another list":          "- one",
	"entities":              `&lt;b&gt; &#60; #60; #quot; #lt;`,
	"a style with colour":   `style x:#;y classDef z:#fff;`,
	"mermaid's own marks":   "ﬂ°°60¶ßbﬂ°lt¶ß",
	"template":              `{{.}} ${x} $(x)`,
	"bidi":                  "a\u202eb\u2066c\u200f",
	"controls":              "a\x00b\x1b[2Jc\x07\x7f\u0085\u2028",
	"not UTF-8":             "a\xff\xfe",
	"a keyword":             "end",
	"a subgraph":            "subgraph x",
	"html of dot":           `<B>bold</B>`,
	"a comment of dot":      `*/ // # x`,
	"empty":                 "",
	"long":                  strings.Repeat("<\"x", 500),
}

// named is a repository whose every text is the one given, with the number of
// what it stands for.
func named(text string) *specs.Repository {
	n := 0
	next := func() string { n++; return text + strconv.Itoa(n) }
	account := &specs.Account{Alias: next(), ID: next()}
	other := &specs.Account{Alias: next(), ID: next(), Manage: true}
	return &specs.Repository{Name: next(), Shares: []*specs.Share{{
		Name:   next(),
		Bucket: specs.Bucket{Name: next(), Account: account, Region: next()},
		Consumers: []*specs.Consumer{
			{
				Account: other, Role: specs.Role{Path: "/", Name: next(), Create: true, TrustService: next()},
				Access: []specs.Access{specs.Access(next())}, Prefixes: []string{next(), next()},
			},
			{
				Account: account, Role: specs.Role{Path: "/", Name: next(), Create: true, TrustFile: next()},
				Actions: []string{next()},
			},
		},
	}}}
}

// shown are the texts of named that a format shows.
func shown(format string) []int {
	all := []int{1, 2, 3, 4, 7, 9, 11, 12, 13, 14, 16}
	switch format {
	case "dot":
		all = append(all, 5, 6)
	case "html":
		all = append(all, 5, 6, 8, 10, 15)
	}
	return all
}

// TestGraphHostile holds hostile texts to their labels: what is around the
// labels is the same as around harmless ones, and each label says the text.
func TestGraphHostile(t *testing.T) {
	for name, text := range hostile {
		for format := range graphFormats {
			t.Run(name+" "+format, func(t *testing.T) { staysInLabel(t, format, text) })
		}
	}
}

func TestGraphNothingLeavesItsLabel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		pieces := rapid.SliceOfN(rapid.OneOf(
			// U+FFFE and U+FFFF are in no XML, which is what the page is read as.
			rapid.String().Filter(func(s string) bool { return !strings.ContainsAny(s, "\ufffe\uffff") }),
			rapid.SampledFrom([]string{`"`, `\`, `'`, "`", "<", ">", "&", "#", ";", "%%{", "}%%", "-->", "</", "]", ")", "|", "\n", "\r", "#34;", "&quot;", "click ", "\u202e"}),
		), 0, 6).Draw(t, "pieces")
		for format := range graphFormats {
			staysInLabel(t, format, strings.Join(pieces, ""))
		}
	})
}

type failer interface {
	Helper()
	Fatal(args ...any)
	Fatalf(format string, args ...any)
	Errorf(format string, args ...any)
}

func staysInLabel(t failer, format, text string) {
	t.Helper()
	got, labels := takeApart(t, format, graphText(t, format, report.NewGraph(named(text), everyShare)))
	want, _ := takeApart(t, format, graphText(t, format, report.NewGraph(named("x"), everyShare)))
	if !slices.Equal(got, want) {
		t.Errorf("%s: %q changes what is around the labels:\n%q\nnot\n%q", format, text, got, want)
	}
	all := strings.Join(labels, "\n")
	if hidden := strings.IndexFunc(strings.ReplaceAll(all, "\n", ""), func(r rune) bool { return unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp) }); hidden >= 0 {
		t.Errorf("%s: %q leaves what is not seen in %q", format, text, all)
	}
	for _, n := range shown(format) {
		if want := visible(text + strconv.Itoa(n)); !strings.Contains(all, want) {
			t.Errorf("%s: %q is not in the labels:\n%s", format, want, all)
		}
	}
}

// visible is a text as every view shows it: on one line, and what is not seen
// as itself by its number.
func visible(text string) string {
	var b strings.Builder
	for len(text) > 0 {
		r, size := utf8.DecodeRuneInString(text)
		switch {
		case r == utf8.RuneError && size == 1:
			fmt.Fprintf(&b, `\x%02x`, text[0])
		case r == '\n' || r == '\r' || r == '\t':
			b.WriteByte(' ')
		case !unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp):
			b.WriteRune(r)
		case r < 0x100:
			fmt.Fprintf(&b, `\x%02x`, r)
		case r < 0x10000:
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			fmt.Fprintf(&b, `\U%08x`, r)
		}
		text = text[size:]
	}
	return b.String()
}

// takeApart splits a view into what is around its labels and the labels, as
// the reader of that format would: without what the view's own code knows.
func takeApart(t failer, format, text string) (around, labels []string) {
	t.Helper()
	switch format {
	case "mmd":
		return takeMermaidApart(t, text)
	case "dot":
		return takeDotApart(t, text)
	default:
		return takeHTMLApart(t, text)
	}
}

var (
	mermaidEntity = regexp.MustCompile(`#(\d+);`)
	mermaidPlain  = regexp.MustCompile(`^([A-Za-z]|#\d+;)([A-Za-z0-9 .,/-]|#\d+;)*$`)
)

// takeMermaidApart knows that a label goes from one quote to the next, and that
// only #number; means something in it.
func takeMermaidApart(t failer, text string) (around, labels []string) {
	for i, part := range strings.Split(text, `"`) {
		if i%2 == 0 {
			around = append(around, part)
			continue
		}
		if !mermaidPlain.MatchString(part) {
			t.Fatalf("label %q has more than plain characters and numbers", part)
		}
		labels = append(labels, mermaidEntity.ReplaceAllStringFunc(part, func(entity string) string {
			n, err := strconv.Atoi(strings.Trim(entity, "#;"))
			if err != nil {
				t.Fatal(err)
			}
			return string(rune(n))
		}))
	}
	return around, labels
}

var dotString = regexp.MustCompile(`"((?:[^"\\]|\\.)*)"`)

// takeDotApart knows that a backslash in a string takes the next character with
// it, and that labels read entities.
func takeDotApart(t failer, text string) (around, labels []string) {
	for _, m := range dotString.FindAllStringSubmatch(text, -1) {
		label := regexp.MustCompile(`\\(.)`).ReplaceAllStringFunc(m[1], func(escape string) string {
			if escape != `\\` && escape != `\"` {
				t.Fatalf("%q in label %q means more than itself", escape, m[1])
			}
			return escape[1:]
		})
		if bare := regexp.MustCompile(`&(amp;)?`).FindAllString(label, -1); slices.Contains(bare, "&") {
			t.Fatalf("label %q has a bare &", m[1])
		}
		labels = append(labels, strings.ReplaceAll(label, "&amp;", "&"))
	}
	return dotString.Split(text, -1), labels
}

// takeHTMLApart reads the page as XML, which it is too: the elements with the
// names of their attributes, and all texts.
func takeHTMLApart(t failer, text string) (around, labels []string) {
	d := xml.NewDecoder(strings.NewReader(text))
	d.Entity = xml.HTMLEntity
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return around, labels
		}
		if err != nil {
			t.Fatalf("the page is not well-formed: %v:\n%s", err, text)
		}
		switch token := token.(type) {
		case xml.StartElement:
			element := "<" + token.Name.Local
			for _, a := range token.Attr {
				element += " " + a.Name.Local + "=" + a.Value
			}
			around = append(around, element)
		case xml.EndElement:
			around = append(around, "</"+token.Name.Local)
		case xml.CharData:
			labels = append(labels, string(token))
		case xml.Directive:
			around = append(around, string(token))
		default:
			t.Fatalf("a %T in the page", token)
		}
	}
}

// TestGraphPage holds the page to needing nothing from elsewhere: no script, no
// address, and every reference within it has its target, once.
func TestGraphPage(t *testing.T) {
	for name, repo := range map[string]*specs.Repository{
		"one share": many(1), "as many as fit a picture": many(25), "between accounts": many(1000),
	} {
		t.Run(name, func(t *testing.T) {
			g := report.NewGraph(repo, everyShare)
			text := graphText(t, "html", g)
			if wants := fmt.Sprintf("By the specs, %s", g.Summary()); !strings.Contains(text, wants) {
				t.Errorf("the page lacks %q", wants)
			}
			targets, references := map[string]int{}, map[string]bool{}
			around, _ := takeHTMLApart(t, text)
			curves := 0
			for _, element := range around {
				if regexp.MustCompile(`^<script| src=|href=[^#]| on[a-z]+=|url\(|@import`).MatchString(element) {
					t.Errorf("the page reaches out: %s", element)
				}
				if m := regexp.MustCompile(` id=(\S+)`).FindStringSubmatch(element); m != nil {
					targets[m[1]]++
				}
				if m := regexp.MustCompile(` href=#(\S+)`).FindStringSubmatch(element); m != nil {
					references[m[1]] = true
				}
				if strings.HasPrefix(element, "<path") {
					curves++
				}
			}
			for id, n := range targets {
				if n > 1 {
					t.Errorf("%s is there %d times", id, n)
				}
			}
			for id := range references {
				if targets[id] == 0 {
					t.Errorf("%s leads nowhere", id)
				}
			}
			if curves == 0 {
				t.Error("nothing is drawn")
			}
			if rows := strings.Count(text, "</tr>"); rows < 2*len(g.Grants) {
				t.Errorf("%d rows for %d grants, told twice", rows, len(g.Grants))
			}
		})
	}
}

// many is a repository of n shares in ten accounts.
func many(n int) *specs.Repository {
	repo := &specs.Repository{Name: "many"}
	for i := range 10 {
		repo.Accounts = append(repo.Accounts, &specs.Account{Alias: fmt.Sprintf("team%d", i), ID: strings.Repeat(strconv.Itoa(i), 12), Manage: true})
	}
	for i := range n {
		repo.Shares = append(repo.Shares, &specs.Share{
			Name:   fmt.Sprintf("share%d", i),
			Bucket: specs.Bucket{Name: fmt.Sprintf("acme-bucket-%d", i), Account: repo.Accounts[i%10]},
			Consumers: []*specs.Consumer{{
				Account: repo.Accounts[i/10%10], Role: specs.Role{Path: "/", Name: fmt.Sprintf("reader%d", i%7)},
				Access: []specs.Access{specs.AccessRead},
			}},
		})
	}
	return repo
}
