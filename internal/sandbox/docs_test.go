package sandbox

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// docs/sandbox.md lists all operations that are served, and no others.
func TestTheListOfOperationsIsTrue(t *testing.T) {
	text, err := os.ReadFile("../../docs/sandbox.md")
	if err != nil {
		t.Fatal(err)
	}
	s := start(t, Options{})
	section := regexp.MustCompile(`(?ms)^### ([a-z0-9]+)$(.*?)^##`)
	line := regexp.MustCompile("(?m)^(`[A-Z][A-Za-z0-9]+`(, )?)+$") // nothing but operations
	found := map[string]bool{}
	rest := string(text)
	for {
		m := section.FindStringSubmatchIndex(rest)
		if m == nil {
			break
		}
		name, body := rest[m[2]:m[3]], rest[m[4]:m[5]]
		rest = rest[m[5]:]
		svc := s.services[name]
		if svc == nil {
			t.Errorf("the page has a service %q", name)
			continue
		}
		found[name] = true
		listed := strings.Split(strings.ReplaceAll(line.FindString(body), "`", ""), ", ")
		if !slices.Equal(listed, svc.serves) {
			t.Errorf("%s: the page lists\n%q, served are\n%q", name, listed, svc.serves)
		}
	}
	if len(found) != len(s.services) {
		t.Errorf("the page has %v, the sandbox %d services", found, len(s.services))
	}
}

// The examples of rules and windows on the page are taken as they stand.
func TestTheExamplesOfThePageAreTrue(t *testing.T) {
	text, err := os.ReadFile("../../docs/sandbox.md")
	if err != nil {
		t.Fatal(err)
	}
	s := start(t, Options{})
	block := func(start string) string {
		t.Helper()
		_, after, ok := strings.Cut(string(text), "\n    "+start)
		if !ok {
			t.Fatalf("the page has no example that begins with %s", start)
		}
		body, _, _ := strings.Cut(after, "\n\n")
		return start + body
	}
	for path, call := range map[string][2]string{
		"faults": {"POST", block("[{")}, "propagation": {"PUT", block(`{"role"`)}, "clock": {"POST", `{"advance": "15m"}`}, "context": {"PUT", block(`{"all"`)},
	} {
		if status, body := s.control(t, call[0], path, call[1]); status != 200 {
			t.Errorf("%s: %d %s", path, status, body)
		}
	}
}
