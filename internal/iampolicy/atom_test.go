package iampolicy

import (
	"slices"
	"testing"
)

func pairOf(t testing.TB, text string) Pair {
	t.Helper()
	pairs := Pairs(must(t, text), func(string) bool { return true })
	if len(pairs) != 1 {
		t.Fatalf("%d pairs", len(pairs))
	}
	return pairs[0]
}

func atomsOf(pairs []Pair) map[Atom]bool {
	out := map[Atom]bool{}
	for _, p := range pairs {
		for _, a := range p.Atoms() {
			out[a] = true
		}
	}
	return out
}

const product = `{"Effect":"Allow","Principal":` + ofRoleB + `,"Action":["s3:GetObject","S3:putobject"],"Resource":["arn:aws:s3:::b/x","arn:aws:s3:::b/y"]}`

func TestAtoms(t *testing.T) {
	for name, tc := range map[string]struct {
		text string
		want int
	}{
		"one":                  {to("Allow", ofRoleB), 1},
		"actions by resources": {product, 4},
		"one condition":        {`{"Effect":"Allow","Principal":` + ofRoleB + `,"Action":"s3:ListBucket","Resource":"arn:aws:s3:::b","Condition":{"StringLike":{"s3:prefix":["a/","a/*"]}}}`, 2},
		"two conditions":       {`{"Effect":"Allow","Principal":` + ofRoleB + `,"Action":"s3:ListBucket","Resource":"arn:aws:s3:::b","Condition":{"StringLike":{"s3:prefix":["a/","a/*"]},"Bool":{"aws:SecureTransport":"true"}}}`, 1},
		"negated condition":    {`{"Effect":"Allow","Principal":` + ofRoleB + `,"Action":"s3:ListBucket","Resource":"arn:aws:s3:::b","Condition":{"StringNotLike":{"s3:prefix":["a/","a/*"]}}}`, 1},
		"NotAction":            {`{"Effect":"Allow","Principal":` + ofRoleB + `,"NotAction":["s3:ListBucket","s3:GetObject"],"Resource":"arn:aws:s3:::b"}`, 1},
	} {
		t.Run(name, func(t *testing.T) {
			if got := pairOf(t, tc.text).Atoms(); len(got) != tc.want {
				t.Errorf("got %d atoms, want %d: %v", len(got), tc.want, got)
			}
		})
	}
	split := must(t, `{"Effect":"Allow","Principal":`+ofRoleB+`,"Action":"s3:getobject","Resource":["arn:aws:s3:::b/x","arn:aws:s3:::b/y"]},
		{"Effect":"Allow","Principal":`+ofRoleB+`,"Action":"s3:PutObject","Resource":"arn:aws:s3:::b/x"},
		{"Effect":"Allow","Principal":`+ofRoleB+`,"Action":"s3:PutObject","Resource":"arn:aws:s3:::b/y"}`)
	a, b := atomsOf([]Pair{pairOf(t, product)}), atomsOf(Pairs(split, func(string) bool { return true }))
	if len(a) != len(b) {
		t.Errorf("the same access split differently: %v and %v", a, b)
	}
	for atom := range a {
		if !b[atom] {
			t.Errorf("%v is missing where the access is split", atom)
		}
	}
}

// What Restrict keeps is exactly what was asked for, whichever atoms that is.
func TestRestrict(t *testing.T) {
	for name, text := range map[string]string{
		"product":   product,
		"condition": `{"Effect":"Allow","Principal":` + ofRoleB + `,"Action":["s3:ListBucket","s3:ListBucketVersions"],"Resource":"arn:aws:s3:::b","Condition":{"StringLike":{"s3:prefix":["a/","a/*","c/"]}}}`,
		"whole":     `{"Effect":"Allow","Principal":` + ofRoleB + `,"NotAction":"s3:ListBucket","Resource":"arn:aws:s3:::b"}`,
	} {
		t.Run(name, func(t *testing.T) {
			p := pairOf(t, text)
			atoms := p.Atoms()
			for mask := range 1 << len(atoms) {
				kept := p.Restrict(func(a Atom) bool { return mask>>slices.Index(atoms, a)&1 == 1 })
				got := atomsOf(kept)
				for i, a := range atoms {
					if got[a] != (mask>>i&1 == 1) {
						t.Fatalf("mask %b: atom %v is kept: %v", mask, a, got[a])
					}
					delete(got, a)
				}
				if len(got) > 0 {
					t.Fatalf("mask %b: there are new atoms: %v", mask, got)
				}
				for _, k := range kept {
					if k.Principal != p.Principal || k.Meaning != k.Statement.Meaning() {
						t.Fatalf("mask %b: the pair contradicts itself: %+v", mask, k)
					}
				}
			}
		})
	}
}
