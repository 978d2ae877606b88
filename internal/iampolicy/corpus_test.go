package iampolicy

import (
	"cmp"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write docs/corpus.md anew")

// guides are where the pages are that cases name, by what stands before the
// colon.
var guides = map[string][2]string{
	"IAM":  {"IAM", "https://docs.aws.amazon.com/IAM/latest/UserGuide/"},
	"S3":   {"Amazon S3", "https://docs.aws.amazon.com/AmazonS3/latest/userguide/"},
	"KMS":  {"AWS KMS", "https://docs.aws.amazon.com/kms/latest/developerguide/"},
	"ORG":  {"AWS Organizations", "https://docs.aws.amazon.com/organizations/latest/userguide/"},
	"STS":  {"AWS STS", "https://docs.aws.amazon.com/STS/latest/APIReference/"},
	"VPC":  {"AWS PrivateLink", "https://docs.aws.amazon.com/vpc/latest/privatelink/"},
	"AUTH": {"Service authorization", "https://docs.aws.amazon.com/service-authorization/latest/reference/"},
}

// linkTo is a page as Markdown.
func linkTo(t *testing.T, page string) string {
	t.Helper()
	guide, name, found := strings.Cut(page, ":")
	to, known := guides[guide]
	if !found || !known || name == "" {
		t.Fatalf("no guide has the page %q", page)
	}
	base := to[1]
	if guide == "S3" && strings.HasPrefix(name, "API_") {
		base = "https://docs.aws.amazon.com/AmazonS3/latest/API/"
	}
	file, place, isPlace := strings.Cut(name, "#")
	link := base + file + ".html"
	if isPlace {
		link += "#" + place
	}
	return fmt.Sprintf("[%s: %s](%s)", to[0], strings.ReplaceAll(name, "_", `\_`), link)
}

// corpusLine is one case as the page shows it.
type corpusLine struct{ kind, name, answer string }

const (
	aRequest   = "requests"
	aCondition = "conditions"
	aPolicy    = "public policies"
)

// corpus is every case, by page.
func corpus(t *testing.T) map[string][]corpusLine {
	t.Helper()
	pages := map[string][]corpusLine{}
	for name, c := range allCases(t) {
		answer := string(c.want)
		if len(c.lacking) > 0 {
			sides := make([]string, len(c.lacking))
			for i, s := range c.lacking {
				sides[i] = string(s)
			}
			answer += " (" + strings.Join(sides, ", ") + ")"
		}
		pages[c.page] = append(pages[c.page], corpusLine{aRequest, name, answer})
	}
	for name, c := range conditionCases {
		answer := map[verdict]string{yes: "holds", no: "does not hold", unknown: "not known: holds in a Deny only"}[c.want]
		pages[c.page] = append(pages[c.page], corpusLine{aCondition, name, answer})
	}
	for name, c := range publicCases {
		answer := map[bool]string{true: "public", false: "not public"}[c.public]
		pages[pageBPA] = append(pages[pageBPA], corpusLine{aPolicy, name, answer})
	}
	return pages
}

const corpusHead = `# The evaluator's corpus

` + "`internal/iampolicy`" + ` decides requests, and these are the cases that it is held to, by the page of AWS's documentation that each was taken from. The decision was written down from what the page says, or from the example policies that it prints and what its text says about them, before the code was asked. AWS itself was never asked. ` + "`go test ./internal/iampolicy`" + ` runs them all.

A **request** has the policies of every side, and the answer is the decision with the sides that lack. A **condition** is one block and what was sent with the request, tried in an Allow and in a Deny. A **public policy** is a bucket's, by S3's meaning of public. What the pages leave open counts against the caller: "not known".

This page is written by a test, which fails where it is not true (` + "`go test ./internal/iampolicy -run TestCorpus -update`" + `).

`

// The page in the documentation shows every case, and there are not fewer than
// are asked for.
func TestCorpus(t *testing.T) {
	pages := corpus(t)
	totals := map[string]int{}
	rows := ""
	details := ""
	order := slices.SortedFunc(maps.Keys(pages), func(a, b string) int {
		return cmp.Or(len(pages[b])-len(pages[a]), strings.Compare(a, b))
	})
	for _, page := range order {
		lines := pages[page]
		slices.SortFunc(lines, func(a, b corpusLine) int {
			return cmp.Or(-strings.Compare(a.kind, b.kind), strings.Compare(a.name, b.name))
		})
		counts := map[string]int{}
		link := linkTo(t, page)
		details += "\n## " + link + "\n"
		kind := ""
		for _, l := range lines {
			counts[l.kind]++
			totals[l.kind]++
			if l.kind != kind {
				kind = l.kind
				details += "\n" + strings.ToUpper(kind[:1]) + kind[1:] + ":\n\n"
			}
			details += "- " + strings.ReplaceAll(strings.ReplaceAll(l.name, "*", `\*`), "_", `\_`) + ": " + l.answer + "\n"
		}
		rows += fmt.Sprintf("| %s | %s | %s | %s |\n", link, orNothing(counts[aRequest]), orNothing(counts[aCondition]), orNothing(counts[aPolicy]))
	}
	text := corpusHead + fmt.Sprintf("There are **%d cases from %d pages**: %d requests, %d conditions and %d public policies.\n\n", totals[aRequest]+totals[aCondition]+totals[aPolicy], len(pages), totals[aRequest], totals[aCondition], totals[aPolicy]) +
		"| page | requests | conditions | public policies |\n|---|--:|--:|--:|\n" + rows + details
	if totals[aRequest] < 300 {
		t.Errorf("there are %d requests, fewer than 300", totals[aRequest])
	}
	path := filepath.Join("..", "..", "docs", "corpus.md")
	if *update {
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	have, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if string(have) != text {
		t.Error("docs/corpus.md is not true any more: run go test ./internal/iampolicy -run TestCorpus -update")
	}
}

// orNothing writes a number, and no zero.
func orNothing(n int) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprint(n)
}
