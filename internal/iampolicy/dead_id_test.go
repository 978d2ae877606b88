package iampolicy

import "testing"

func TestIsEntityID(t *testing.T) {
	for principal, want := range map[string]bool{
		"AROAEXAMPLEEXAMPLE123":                true,
		"AIDAEXAMPLEEXAMPLE123":                true,
		"AGPAEXAMPLEEXAMPLE123":                true,
		"AIPAEXAMPLEEXAMPLE123":                false, // an instance profile is no principal
		"AROA":                                 false,
		"arn:aws:iam::111111111111:role/AROAx": false,
		"111111111111":                         false,
	} {
		if got := IsEntityID(principal); got != want {
			t.Errorf("%s: %t, want %t", principal, got, want)
		}
	}
}
