package iampolicy

import (
	"slices"
	"testing"
)

func TestUnknownAction(t *testing.T) {
	for action, want := range map[string]string{
		"s3:GetObject":     "",
		"S3:getobject":     "",
		"kms:decrypt":      "",
		"kms:ReEncryptTo":  "",
		"sts:AssumeRole":   "",
		"sts:TagSession":   "",
		"ec2:RunInstanzes": "", // not known here
		"s3:DeleteObjekt":  "S3 has no action s3:DeleteObjekt: did you mean s3:DeleteObject?",
		"S3:GetObjekt":     "S3 has no action S3:GetObjekt: did you mean s3:GetObject?",
		"s3:HeadObject":    "S3 has no action s3:HeadObject, and that call needs s3:GetObject",
		"s3:ListObject":    "S3 has no action s3:ListObject: did you mean s3:ListBucket?", // by the call ListObjects
		"s3:Frobnicate":    "S3 has no action s3:Frobnicate",
		"kms:Decrpyt":      "KMS has no action kms:Decrpyt: did you mean kms:Decrypt?",
		"kms:ReEncrypt":    "KMS has no action kms:ReEncrypt, and that call needs kms:ReEncryptFrom on the one key and kms:ReEncryptTo on the other",
		"sts:AssumRole":    "STS has no action sts:AssumRole: did you mean sts:AssumeRole?",
	} {
		if got := UnknownAction(action); got != want {
			t.Errorf("%s: %q, want %q", action, got, want)
		}
	}
}

// The lists say each action once, and all that is asked about elsewhere.
func TestActionLists(t *testing.T) {
	for service, list := range map[string][]string{"kms": kmsActions, "sts": stsActions} {
		if !slices.IsSorted(list) || len(slices.Compact(slices.Clone(list))) != len(list) {
			t.Errorf("the actions of %s are not sorted, or stand twice", service)
		}
	}
	for _, name := range slices.Concat(withoutKey, aliasToo) {
		if !slices.Contains(kmsActions, name) {
			t.Errorf("KMS lacks %s", name)
		}
	}
	for _, name := range onRoles {
		if !slices.Contains(stsActions, name) {
			t.Errorf("STS lacks %s", name)
		}
	}
	for call, action := range s3Calls {
		if UnknownAction(action) != "" || UnknownAction("s3:"+call) == "" {
			t.Errorf("the call %s needs %s", call, action)
		}
	}
}
