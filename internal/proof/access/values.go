package access

import (
	"encoding/base64"
	"fmt"
	"math/big"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/xshare/xshare/internal/iampolicy"
)

// operatorOf takes a condition's operator apart: what kind of values it
// compares, in lower case and without negation, and whether it is about sets.
func operatorOf(operator string) (kind string, ofSets bool) {
	kind = strings.ToLower(operator)
	for _, set := range []string{"foranyvalue:", "forallvalues:"} {
		if rest, ok := strings.CutPrefix(kind, set); ok {
			kind, ofSets = rest, true
		}
	}
	kind = strings.TrimSuffix(kind, "ifexists")
	return strings.Replace(kind, "not", "", 1), ofSets
}

// valueTokens is the pattern that a condition's value is for texts; isText is
// false where it is not compared as a text.
func valueTokens(operator, value string, variables bool) (pattern []token, isText bool) {
	kind, _ := operatorOf(operator)
	switch {
	case kind == "stringlike":
		return tokens(value, variables), true
	case kind == "stringequals", kind == "stringequalsignorecase":
		p := tokens(value, variables)
		for i := range p {
			p[i].one, p[i].many = false, false
		}
		return p, true
	case strings.HasPrefix(kind, "arn"):
		return byParts(tokens(value, variables)), true
	}
	return nil, false
}

func textOf(pattern []token) string {
	var b strings.Builder
	for _, t := range pattern {
		b.WriteRune(t.char)
	}
	return b.String()
}

// keyTest is a condition that a statement puts on a key.
type keyTest struct {
	effect    iampolicy.Effect
	condition iampolicy.Condition
	variables bool
}

func (t keyTest) id() string {
	return fmt.Sprintf("%s %t %s %q", t.effect, t.variables, strings.ToLower(t.condition.Operator), t.condition.Values)
}

// keyCell is one state of a condition key, for all that the tests on it do not
// tell apart.
type keyCell struct {
	values []string // nil: the key is absent
	holds  map[string]bool
}

// maxSets bounds of how many values sets are made.
const maxSets = 6

// keyCells are the states of a key that the tests on it tell apart.
func (d *diff) keyCells(key string, tests []keyTest) ([]keyCell, error) {
	name := key
	for _, t := range tests {
		name += "\n" + t.id()
	}
	if cells, ok := d.values[name]; ok {
		return cells, nil
	}
	candidates, err := candidatesOf(key, tests)
	if err != nil {
		return nil, err
	}
	cells := d.tell(key, tests, candidates)
	if slices.ContainsFunc(tests, func(t keyTest) bool { _, ofSets := operatorOf(t.condition.Operator); return ofSets }) {
		if len(cells) > maxSets {
			return nil, fmt.Errorf("%w: the sets of values of %s", errTooRich, key)
		}
		cells = d.tell(key, tests, append(setsOf(cells), candidates...))
	}
	if d.values == nil {
		d.values = map[string][]keyCell{}
	}
	d.values[name] = cells
	return cells, nil
}

// tell evaluates the tests on each candidate and keeps one of each kind.
func (d *diff) tell(key string, tests []keyTest, candidates [][]string) []keyCell {
	var cells []keyCell
	seen := map[string]bool{}
	for _, values := range candidates {
		c := keyCell{values: values, holds: map[string]bool{}}
		context := map[string][]string{}
		if values != nil {
			context[key] = values
		}
		in := make([]bool, len(tests))
		for i, t := range tests {
			in[i] = d.holds(t.effect, t.condition, t.variables, context)
			c.holds[t.id()] = in[i]
		}
		if k := bits(in); !seen[k] {
			seen[k] = true
			cells = append(cells, c)
		}
	}
	return cells
}

// setsOf makes all sets of the values of the cells.
func setsOf(cells []keyCell) [][]string {
	var values []string
	for _, c := range cells {
		if len(c.values) == 1 {
			values = append(values, c.values[0])
		}
	}
	sets := [][]string{{}}
	for _, v := range values {
		for _, set := range sets {
			sets = append(sets, append(slices.Clone(set), v))
		}
	}
	return sets[1:]
}

// candidatesOf lists states of a key such that each that the tests tell apart
// is among them.
func candidatesOf(key string, tests []keyTest) ([][]string, error) {
	var c candidates
	for _, t := range tests {
		for _, value := range t.condition.Values {
			c.add(t, value)
		}
	}
	values, err := c.values()
	if err != nil {
		return nil, err
	}
	var list [][]string
	switch {
	case strings.EqualFold(key, "aws:SecureTransport"), strings.EqualFold(key, "aws:ViaAWSService"):
		values = []string{"true", "false"}
	case !slices.ContainsFunc(always, func(name string) bool { return strings.EqualFold(name, key) }):
		list = append(list, nil)
	}
	for _, v := range values {
		list = append(list, []string{v})
	}
	return list, nil
}

// candidates gathers what a key's values are compared with, by kind.
type candidates struct {
	texts    [][]token
	exact    []string
	numbers  []*big.Rat
	times    []time.Time
	networks []netip.Prefix
	ofSets   bool
}

func (c *candidates) add(t keyTest, value string) {
	kind, ofSets := operatorOf(t.condition.Operator)
	c.ofSets = c.ofSets || ofSets
	if pattern, isText := valueTokens(t.condition.Operator, value, t.variables); isText {
		c.texts = append(c.texts, pattern)
	}
	switch {
	case strings.HasPrefix(kind, "arn"): // what is no ARN is a case of its own
		c.texts = append(c.texts, tokens("*:*:*:*:*:*", false))
	case kind == "stringequalsignorecase":
		c.exact = append(c.exact, strings.ToLower(value), strings.ToUpper(value))
	case kind == "bool":
		c.exact = append(c.exact, "true", "false")
	case kind == "binaryequals":
		c.exact = append(c.exact, value, base64.StdEncoding.EncodeToString([]byte("other than "+value)))
	case strings.HasPrefix(kind, "numeric"):
		if n, ok := new(big.Rat).SetString(value); ok && len(value) <= 64 {
			c.numbers = append(c.numbers, n)
		}
	case strings.HasPrefix(kind, "date"):
		if at, ok := iampolicy.ParseDate(value); ok {
			c.times = append(c.times, at)
		}
	case kind == "ipaddress":
		if p, ok := iampolicy.ParseNetwork(value); ok {
			c.networks = append(c.networks, p)
		}
	}
}

func (c *candidates) values() ([]string, error) {
	values := slices.Concat(c.exact, around(c.numbers), aroundTimes(c.times), addresses(c.networks))
	anything := [][]token{{{many: true}}}
	if c.ofSets {
		values = append(values, "") // to a set operator, no value at all
		anything = [][]token{{{one: true}, {many: true}}}
	}
	if len(c.texts) > 0 {
		cells, err := cellsOf(anything, c.texts, "")
		if err != nil {
			return nil, err
		}
		for _, cell := range cells {
			values = append(values, cell.text)
		}
	}
	if len(values) == 0 {
		values = []string{"x"} // only whether the key is there is asked for
	}
	return values, nil
}

// around lists numbers, one between each two, and one before and behind all.
func around(numbers []*big.Rat) []string {
	slices.SortFunc(numbers, (*big.Rat).Cmp)
	var list []string
	add := func(n *big.Rat) { list = append(list, decimal(n)) }
	for i, n := range numbers {
		if i == 0 {
			add(new(big.Rat).Sub(n, big.NewRat(1, 1)))
		} else {
			add(new(big.Rat).Mul(new(big.Rat).Add(numbers[i-1], n), big.NewRat(1, 2)))
		}
		add(n)
	}
	if len(numbers) > 0 {
		add(new(big.Rat).Add(numbers[len(numbers)-1], big.NewRat(1, 1)))
	}
	return list
}

func decimal(n *big.Rat) string {
	text := n.FloatString(40)
	return strings.TrimSuffix(strings.TrimRight(text, "0"), ".")
}

func aroundTimes(times []time.Time) []string {
	var list []string
	for _, at := range times {
		for _, d := range []time.Duration{-time.Second, 0, time.Second} {
			list = append(list, at.Add(d).UTC().Format(time.RFC3339))
		}
	}
	return list
}

// addresses lists the first address of each stretch that the networks cut the
// addresses into.
func addresses(networks []netip.Prefix) []string {
	if len(networks) == 0 {
		return nil
	}
	list := []string{netip.IPv4Unspecified().String(), netip.IPv6Unspecified().String()}
	for _, p := range networks {
		list = append(list, p.Addr().String())
		if behind := last(p).Next(); behind.IsValid() {
			list = append(list, behind.String())
		}
	}
	return list
}

// last is the last address of a network.
func last(p netip.Prefix) netip.Addr {
	bytes := p.Addr().AsSlice()
	for bit := p.Bits(); bit < len(bytes)*8; bit++ {
		bytes[bit/8] |= 0x80 >> (bit % 8)
	}
	addr, _ := netip.AddrFromSlice(bytes)
	return addr
}
