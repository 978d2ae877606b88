package report_test

import (
	"bytes"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/xshare/xshare/internal/report"
	"github.com/xshare/xshare/plan"
	"github.com/xshare/xshare/specs"
)

const commit = "0123456789abcdef0123456789abcdef01234567"

func TestPlanMarkdown(t *testing.T) {
	tests := map[string]struct {
		world  func(*testing.T) *world
		opts   plan.Options
		access plan.Access
		more   []specs.Problem
	}{
		"create": {
			world: func(t *testing.T) *world { return empty(t, recipeYAML, secondYAML) },
			access: plan.Access{Gained: []plan.AccessEntry{
				{Principal: roleARN, Action: "s3:GetObject", Resource: "arn:aws:s3:::mybucket2share/*"},
				{Principal: roleARN, Action: "s3:PutObject", Resource: "arn:aws:s3:::mybucket2share/*"},
				{Principal: roleARN, Action: "s3:ListBucket", Resource: "arn:aws:s3:::mybucket2share", When: "s3:prefix is like reports/*"},
			}},
		},
		"nothing": {world: func(t *testing.T) *world { return applied(t, recipeYAML) }},
		"share-gone": {
			world: func(t *testing.T) *world {
				w := empty(t, secondYAML)
				w.snapshots = applied(t, recipeYAML, secondYAML).snapshots
				return w
			},
			access: plan.Access{Lost: []plan.AccessEntry{{Principal: roleARN, Action: "s3:GetObject", Resource: "arn:aws:s3:::mybucket2share/*"}}},
		},
		"errors": {
			world: func(t *testing.T) *world {
				w := applied(t, recipeYAML, secondYAML)
				w.snapshots[owner] = unread(owner)
				delete(w.snapshots[consumer].Roles[role].Tags, plan.RepositoryTag)
				return w
			},
			more: []specs.Problem{{
				Code: "end-of-support", Severity: specs.SeverityWarning, Source: specs.Pos{File: "shares/shares.yaml", Line: 12, Col: 11},
				Message: "image amazon-linux-2 has had no support since 2026-06-30", Mend: "use amazon-linux-2023",
			}},
		},
		"stopped": {
			world: func(t *testing.T) *world { return empty(t, recipeYAML) },
			more:  []specs.Problem{{Code: "x", Severity: specs.SeverityWarning, Message: "a `fence`\n```\n# out?"}},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			changes := tt.world(t).compare(tt.opts)
			changes.Access = tt.access
			if name == "stopped" {
				changes.Problems = append(changes.Problems, specs.Problem{
					Code: plan.CodeOpensUnasked, Severity: specs.SeverityError, Message: "the plan would open what no share asks for",
				})
			}
			got := text(t, func(b *bytes.Buffer) error { return report.PlanMarkdown(b, changes, commit, tt.more) })
			onlyOurs(t, string(got))
			golden(t, "plan-"+name+".md", got)
		})
	}
}

func TestDriftMarkdown(t *testing.T) {
	tests := map[string]struct {
		world  func(*testing.T) *world
		access plan.Access
	}{
		"none": {world: func(t *testing.T) *world { return applied(t, recipeYAML) }},
		"many": {
			world: func(t *testing.T) *world {
				w := applied(t, recipeYAML)
				w.replace(roleARN, "AROAOLD0000000000001")
				snap := w.snapshots[consumer]
				snap.Instances[0].Type = "m5.large"
				delete(snap.Profiles, role)
				snap.Roles["left"] = &plan.LiveRole{Role: plan.Role{Name: "left", Path: "/", Tags: map[string]string{plan.RepositoryTag: "acme-data"}}}
				snap.Roles["left"].Attached = []string{policy}
				return w
			},
			access: plan.Access{
				Gained: []plan.AccessEntry{{Principal: roleARN, Action: "s3:GetObject", Resource: "arn:aws:s3:::mybucket2share/*"}},
				Lost:   []plan.AccessEntry{{Principal: "*", Action: "s3:*", Resource: "arn:aws:s3:::mybucket2share/*"}},
			},
		},
		"unread": {
			world: func(t *testing.T) *world {
				w := applied(t, recipeYAML)
				w.snapshots[owner] = unread(owner)
				return w
			},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			w := tt.world(t)
			orphans := plan.Orphans(w.plan, w.snapshots)
			changes := w.compare(plan.Options{})
			changes.Access = tt.access
			got := text(t, func(b *bytes.Buffer) error { return report.DriftMarkdown(b, changes, "", orphans) })
			onlyOurs(t, string(got))
			golden(t, "drift-"+name+".md", got)
		})
	}
}

// Each of these gets somewhere in Markdown, in HTML, or in GitHub's own filters.
var getsOut = map[string]string{
	"mention":          "@octocat",
	"team":             "@acme/admins",
	"issue":            "#1",
	"issue elsewhere":  "acme/data#1",
	"link":             "[click](https://example.com)",
	"bare link":        "https://example.com www.example.com",
	"image":            "![x](https://example.com/x.png)",
	"html":             "<img src=x onerror=alert(1)>",
	"closing html":     "</code></summary></details><h1>",
	"comment":          "<!-- hidden",
	"entity":           "&lt;&#64;octocat",
	"code span":        "a `b` c",
	"many backticks":   "``` ```` `````",
	"ends in backtick": "a`",
	"fence":            "\n```\n# heading\n```text",
	"tildes":           "\n~~~\n# heading",
	"table":            "a | b \\| c",
	"heading":          "\n# heading\n===",
	"blank line":       "\n\n<h1>x</h1>\n\n",
	"carriage return":  "\r\r# heading",
	"separators":       "\u2028\u2029# heading",
	"bidi":             "\u202eevil\u2066",
	"controls":         "\x00\x1b[2J\x07",
	"emphasis":         "**bold** _it_ ~~no~~",
	"emoji":            ":tada:",
	"math":             "$`x`$ $$x$$",
	"backslash":        `\`,
	"spaces":           "   ",
	"nothing":          "",
	"not UTF-8":        "\xff\xfe",
}

func TestMarkdownLetsNothingOut(t *testing.T) {
	for name, hostile := range getsOut {
		t.Run(name, func(t *testing.T) {
			next := func() string { return marker + hostile + marker }
			plan, drift := hostileMarkdown(t, next)
			onlyOurs(t, plan)
			onlyOurs(t, drift)
		})
	}
}

func TestMarkdownPropertyLetsNothingOut(t *testing.T) {
	bits := []string{"`", "``", "~", "|", "\n", "\r", "<", ">", "@", "#", "&", "\\", "[", "]", "(", ")", "!", "*", "_", "$", ":", " ", "  ", "\t", "-", "+", "=", "</details>", "<!--", "```", "\u202e", "\u2028", "\x00", "\x1b", "\xff", "0", "x"}
	rapid.Check(t, func(rt *rapid.T) {
		texts := rapid.SliceOfN(rapid.Map(rapid.SliceOfN(rapid.OneOf(rapid.SampledFrom(bits), rapid.StringN(0, 3, -1)), 0, 12),
			func(parts []string) string { return strings.Join(parts, "") }), 1, 12).Draw(rt, "texts")
		i := 0
		next := func() string {
			i++
			return texts[i%len(texts)] + marker + texts[(i+1)%len(texts)]
		}
		plan, drift := hostileMarkdown(t, next)
		for _, text := range []string{plan, drift} {
			if found := notOurs(text); found != "" {
				rt.Fatalf("%s\n%s", found, text)
			}
		}
	})
}

// marker is part of every text from outside, and of none of ours.
const marker = "Zq7"

// hostileMarkdown is both views of changes in which all that may come from
// outside is what next gives.
func hostileMarkdown(t *testing.T, next func() string) (planned, drifted string) {
	w := applied(t, recipeYAML, thirdYAML)
	w.snapshots[lab] = unread(lab)
	w.snapshots[lab].Failures[0].Message, w.snapshots[lab].Failures[0].Mend = next(), next()
	w.snapshots[consumer].Roles[role].Tags[plan.ShareTag] = next()
	w.replace(`"s3:PutObject"`, `"s3:`+marker+"`|@#<\"")
	delete(w.snapshots[consumer].Profiles, role)
	for _, id := range []string{owner, consumer, lab} {
		w.plan.Aliases[id] = next()
	}
	changes := w.compare(plan.Options{})
	w.plan.Repository = next()
	for _, c := range changes.Steps {
		c.Name = next()
		for i := range c.Parts {
			c.Parts[i].Share, c.Parts[i].Consumer = next(), next()
		}
	}
	changes.Access = plan.Access{
		Gained: []plan.AccessEntry{{Principal: next(), Action: next(), Resource: next(), When: next()}},
		Lost:   []plan.AccessEntry{{Principal: next(), Action: next(), Resource: next(), When: next()}},
	}
	more := []specs.Problem{
		{Code: next(), Severity: specs.SeverityError, Message: next(), Mend: next(), Source: specs.Pos{File: next(), Line: 1, Col: 1}},
		{Code: next(), Severity: specs.SeverityWarning, Message: next(), Mend: next(), Account: next()},
		{Code: plan.CodeOrphan, Severity: specs.SeverityWarning, Message: next(), Mend: next(), Account: owner},
	}
	planned = string(text(t, func(b *bytes.Buffer) error { return report.PlanMarkdown(b, changes, next(), more) }))
	drifted = string(text(t, func(b *bytes.Buffer) error { return report.DriftMarkdown(b, changes, next(), more) }))
	return planned, drifted
}

func onlyOurs(t *testing.T, text string) {
	t.Helper()
	if found := notOurs(text); found != "" {
		t.Errorf("%s\n%s", found, text)
	}
}

var (
	// What stands outside of code: words and punctuation of ours, and signs
	// that Markdown knows only in these forms.
	ourLine    = regexp.MustCompile(`^(### )?[A-Za-z0-9 .,:;()*'+\x00-]*$`)
	ourSummary = regexp.MustCompile(`^<details><summary>\x00: [0-9]+ [a-z]+</summary>$`)
	htmlCode   = regexp.MustCompile(`<code>[^<>"']*</code>`)
	hidden     = regexp.MustCompile(`[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]`)
)

// notOurs reads a text as GitHub does and says what stands outside of code and
// is not ours; empty: nothing.
func notOurs(text string) string {
	if len(text) > 65_536 {
		return fmt.Sprintf("%d bytes are too many for a comment", len(text))
	}
	if strings.ToValidUTF8(text, "") != text {
		return "it is no UTF-8"
	}
	fence := ""
	for line := range strings.SplitSeq(text, "\n") {
		if found := hidden.FindString(line); found != "" {
			return fmt.Sprintf("there is a hidden %q in %q", found, line)
		}
		trimmed := strings.TrimLeft(line, " ")
		indent := len(line) - len(trimmed)
		row := trimmed[:len(trimmed)-len(strings.TrimLeft(trimmed, "`"))]
		rest := strings.TrimRight(trimmed[len(row):], " ")
		switch {
		case fence != "": // only a row as long, with nothing after it, ends it
			if indent < 4 && len(row) >= len(fence) && rest == "" {
				fence = ""
			}
			continue
		case len(row) >= 3 && indent == 0 && (rest == "text" || rest == "diff"):
			fence = row
			continue
		}
		bare := withoutCodeSpans(htmlCode.ReplaceAllString(line, "\x00"))
		if !ourLine.MatchString(bare) && !ourSummary.MatchString(bare) && bare != "</details>" || strings.Contains(bare, marker) {
			return fmt.Sprintf("outside of code: %q", line)
		}
	}
	if fence != "" {
		return "a fence is left open"
	}
	return ""
}

// withoutCodeSpans puts a NUL in the place of each code span: from a row of
// backticks to the next one of that length.
// https://github.github.com/gfm/#code-spans
func withoutCodeSpans(line string) string {
	rows := regexp.MustCompile("`+").FindAllStringIndex(line, -1)
	var b strings.Builder
	at := 0
	for i := 0; i < len(rows); i++ {
		for j := i + 1; j < len(rows); j++ {
			if rows[j][1]-rows[j][0] == rows[i][1]-rows[i][0] {
				b.WriteString(line[at:rows[i][0]] + "\x00")
				at, i = rows[j][1], j
				break
			}
		}
	}
	return b.String() + line[at:]
}

// The test must be able to fail: these get out.
func TestMarkdownReaderSeesWhatGetsOut(t *testing.T) {
	for name, text := range map[string]string{
		"mention":       "hello @octocat",
		"after a span":  "`a` <b>",
		"span that is":  "`a`` b @c",
		"ended fence":   "```text\na\n```\n# b",
		"indented end":  "```text\na\n   ````\n@b",
		"open fence":    "```text\na",
		"html":          "<details><summary><code>a</code></summary>",
		"code in html":  "<details><summary><code>a<b></code>: 1 change</summary>",
		"second head":   "# a",
		"hidden":        "```text\na\u202e\n```",
		"no such fence": "```html\na\n```",
	} {
		t.Run(name, func(t *testing.T) {
			if notOurs(text) == "" {
				t.Errorf("%q passes", text)
			}
		})
	}
}

// What is too much for a comment is left out in whole pieces, and counted.
func TestMarkdownIsBounded(t *testing.T) {
	for name, tt := range map[string]struct {
		steps, access, problems, accounts int
		long                              string
		want                              []string
	}{
		"many steps":    {steps: 5000, want: []string{"more changes; see the text output."}},
		"many accounts": {steps: 5000, accounts: 1000, want: []string{"more accounts with "}},
		"much access":   {access: 5000, want: []string{"more lines; see the text output.", "<details>"}},
		"many problems": {problems: 5000, want: []string{"more problems; see the text output.", "<details>"}},
		"all of it":     {steps: 3000, access: 3000, problems: 3000, accounts: 500, want: []string{"more lines;", "more problems;", "more accounts with"}},
		"long names":    {steps: 5, access: 5, problems: 5, long: strings.Repeat("x", 70_000), want: []string{"5 more lines;", "5 more problems;"}},
		"backticks":     {steps: 5, access: 5, problems: 5, long: strings.Repeat("`", 30_000), want: []string{"5 more lines;", "5 more problems;"}},
	} {
		t.Run(name, func(t *testing.T) {
			changes := empty(t, recipeYAML).compare(plan.Options{})
			for i := range tt.steps {
				account := owner
				if tt.accounts > 0 {
					account = fmt.Sprintf("%012d", i%tt.accounts)
				}
				changes.Steps = append(changes.Steps, &plan.Change{
					ID: fmt.Sprintf("iam.Role/%s/r%d", account, i), Type: plan.TypeRole, Account: account, Name: fmt.Sprintf("r%d%s", i, tt.long),
					Action: plan.Create, Want: plan.Role{Name: "r", Path: "/"},
				})
			}
			var more []specs.Problem
			for i := range tt.access {
				changes.Access.Gained = append(changes.Access.Gained, plan.AccessEntry{Principal: fmt.Sprint(i, tt.long), Action: "s3:GetObject", Resource: "x"})
			}
			for i := range tt.problems {
				more = append(more, specs.Problem{Code: "x", Severity: specs.SeverityWarning, Message: fmt.Sprintf("problem %d %s", i, tt.long)})
			}
			got := string(text(t, func(b *bytes.Buffer) error { return report.PlanMarkdown(b, changes, commit, more) }))
			onlyOurs(t, got)
			for _, want := range tt.want {
				if !strings.Contains(got, want) {
					t.Errorf("lacks %q", want)
				}
			}
			drift := string(text(t, func(b *bytes.Buffer) error { return report.DriftMarkdown(b, changes, commit, more) }))
			onlyOurs(t, drift)
		})
	}
}
