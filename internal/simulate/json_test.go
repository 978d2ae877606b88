package simulate

import (
	"encoding/json"
	"slices"
	"testing"
)

// What is cut out of a line is what encoding/json finds in it, whatever stands
// in strings and between values.
func TestJSON(t *testing.T) {
	values := []string{
		`"a"`, `""`, `"\\"`, `"\""`, `"\\\""`, `"}"`, `"],{"`, `"\u005d"`, `"é"`, `0`, `-1.5e+3`, `true`, `false`, `null`,
		`{}`, `[]`, `[[]]`, `{"a":{}}`, `[ ]`, `{ }`, `[1 , 2]`, `{"}":"]"}`, `[{"a":[{"b":"\\\"]}"}]},3]`,
	}
	r := &caseReader{number: 1}
	for _, space := range []string{"", " ", "\t\r\n "} {
		object, list := "{"+space, "["+space
		for i, v := range values {
			if i > 0 {
				object, list = object+space+","+space, list+space+","+space
			}
			object += `"k\u0020` + string(rune('a'+i)) + `"` + space + ":" + space + v
			list += v
		}
		object, list = object+space+"}", list+space+"]"
		if !json.Valid([]byte(object)) || !json.Valid([]byte(list)) {
			t.Fatalf("the test's own text is no JSON: %s, %s", object, list)
		}
		members, err := r.members(field{text: []byte(object), at: 5})
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, m := range members {
			names = append(names, m.name)
			if at := m.at - 5; object[at:at+len(m.text)] != string(m.text) || object[m.nameAt-5] != '"' {
				t.Errorf("%s is not where it says", m.text)
			}
		}
		if len(names) != len(values) || names[0] != "k a" || !slices.IsSorted(names) {
			t.Errorf("the names are %q", names)
		}
		items := field{text: []byte(list)}.items()
		for i, want := range values {
			if i >= len(items) || i >= len(members) || string(items[i].text) != want || string(members[i].text) != want {
				t.Fatalf("value %d, %s, is not found in %s and %s", i, want, list, object)
			}
		}
	}
	for _, empty := range []string{`{}`, `{ }`} {
		if members, err := r.members(field{text: []byte(empty)}); err != nil || members != nil {
			t.Errorf("%s has %v, %v", empty, members, err)
		}
	}
}

// A name that stands twice is found among few and among many.
func TestTwice(t *testing.T) {
	for _, n := range []int{2, 16, 17, 100} {
		var list []field
		for i := range n {
			list = append(list, field{name: string(rune('A' + i))})
		}
		if got := firstTwice(list); got >= 0 {
			t.Errorf("of %d, number %d is there twice", n, got)
		}
		list[n-1].name = list[0].name
		if got := firstTwice(list); got != n-1 {
			t.Errorf("of %d, number %d is there twice", n, got)
		}
	}
}
