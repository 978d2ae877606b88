package plan

import (
	"strings"
	"testing"
)

// --drop-dead-principals in a saved plan is consent to what was dead then.
func TestConsentToDroppedPrincipals(t *testing.T) {
	const other = "AROAEXAMPLEROLE00002"
	wider := strings.Replace(recipe, "[read, write]", "[read, write, delete]", 1)
	statement := func(id string) string {
		return `{"Sid":"Theirs","Effect":"Allow","Principal":{"AWS":"` + id + `"},"Action":"s3:GetObject","Resource":"arn:aws:s3:::mybucket/*"}`
	}
	for name, test := range map[string]struct {
		then, now string
		stale     bool
	}{
		"the same":              {then: statement(deadID), now: statement(deadID)},
		"none then, one now":    {now: statement(deadID), stale: true},
		"another one":           {then: statement(deadID), now: statement(other), stale: true},
		"it is out already":     {then: statement(deadID)},
		"a living one died now": {then: statement("arn:aws:iam::333333333333:role/x"), now: statement(deadID), stale: true},
	} {
		t.Run(name, func(t *testing.T) {
			options := Options{DropDeadPrincipals: true}
			start := func() live {
				p := build(t, load(t, recipe), everything)
				l := newLive(p)
				l.apply(t, Compare(p, l, Options{}))
				return l
			}
			p := build(t, load(t, wider), everything)
			then, now := start(), start()
			if test.then != "" {
				foreignPolicy(then, test.then)
			}
			if test.now != "" {
				foreignPolicy(now, test.now)
			}
			stale := Compare(p, now, options).Stale(saved(t, Compare(p, then, options)))
			if got := len(stale) > 0; got != test.stale {
				t.Fatalf("stale: %+v", stale)
			}
			if test.stale && !strings.Contains(stale[0].Message, "out of foreign statements") {
				t.Errorf("it says %q", stale[0].Message)
			}
		})
	}
}
