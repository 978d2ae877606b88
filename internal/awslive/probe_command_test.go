package awslive

import (
	"errors"
	"os/exec"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// A real shell reads the words again as they were, whatever they hold.
func TestWords(t *testing.T) {
	if got := words("aws", "s3", "cp", "--region", "eu-west-1", "-", "s3://b/k"); got != "aws s3 cp --region eu-west-1 - s3://b/k" {
		t.Errorf("plain words are %s", got)
	}
	rapid.Check(t, func(t *rapid.T) {
		list := rapid.SliceOfN(rapid.OneOf(
			rapid.StringOf(rapid.SampledFrom([]rune("'\"`$(){}\\;&|<>*?[]~#! \n\tabé-"))),
			rapid.SampledFrom([]string{"", "$(id)", "`id`", "{{ssm:x}}", "{{{", "it's", "-n", "~", "a\nb", "${HOME}", `\`, "'", "''"}),
		), 1, 5).Draw(t, "words")
		text := words(list...)
		if strings.Contains(text, "{{") {
			t.Fatalf("%s: SSM would replace a part of it", text)
		}
		out, err := exec.Command("sh", "-c", "for w in "+text+"; do printf '%s\\0' \"$w\"; done").Output()
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(list, strings.Split(strings.TrimSuffix(string(out), "\x00"), "\x00")); diff != "" {
			t.Fatalf("%s (-want +got):\n%s", text, diff)
		}
	})
}

func TestToldBy(t *testing.T) {
	const url = "s3://b/in/k"
	for name, c := range map[string]struct {
		stderr     string
		operations []string
		code, says string // no code: none of S3's
	}{
		"upload":            {"upload failed: - to s3://b/in/k An error occurred (AccessDenied) when calling the PutObject operation: Access Denied\nfailed to run commands: exit status 1", []string{"PutObject"}, "AccessDenied", "Access Denied"},
		"long":              {"upload failed: - to s3://b/in/k An error occurred (AccessDenied) when calling the PutObject operation: User: arn:aws:sts::1:assumed-role/r/i-1 is not authorized to perform: s3:PutObject on resource: \"arn:aws:s3:::b/in/k\" because no identity-based policy allows the s3:PutObject action\n", []string{"PutObject"}, "AccessDenied", `User: arn:aws:sts::1:assumed-role/r/i-1 is not authorized to perform: s3:PutObject on resource: "arn:aws:s3:::b/in/k" because no identity-based policy allows the s3:PutObject action`},
		"list":              {"\nAn error occurred (AccessDenied) when calling the ListObjectsV2 operation: Access Denied\n", []string{"ListObjectsV2"}, "AccessDenied", "Access Denied"},
		"version 2":         {"\naws: [ERROR]: An error occurred (NoSuchBucket) when calling the ListObjectsV2 operation: The specified bucket does not exist\n", []string{"ListObjectsV2"}, "NoSuchBucket", "The specified bucket does not exist"},
		"head denied":       {"download failed: s3://b/in/k to - An error occurred (403) when calling the HeadObject operation: Forbidden\n", []string{"HeadObject", "GetObject"}, "Forbidden", "Forbidden"},
		"fatal":             {"fatal error: An error occurred (404) when calling the HeadObject operation: Key \"in/k\" does not exist\n", []string{"HeadObject"}, "NotFound", `Key "in/k" does not exist`},
		"bad request":       {"download failed: s3://b/in/k to - An error occurred (400) when calling the HeadObject operation: Bad Request\n", []string{"HeadObject"}, "BadRequest", "Bad Request"},
		"retried":           {"delete failed: s3://b/in/k An error occurred (SlowDown) when calling the DeleteObject operation (reached max retries: 4): Please reduce your request rate.\n", []string{"DeleteObject"}, "SlowDown", "Please reduce your request rate."},
		"credentials":       {"upload failed: - to s3://b/in/k Unable to locate credentials\n", []string{"PutObject"}, "", ""},
		"another service's": {"An error occurred (AccessDenied) when calling the AssumeRole operation: no\n", []string{"PutObject"}, "", ""},
		"no route":          {"upload failed: - to s3://b/in/k Could not connect to the endpoint URL: \"https://b.s3.amazonaws.com/in/k\"\n", []string{"PutObject"}, "", ""},
		"nothing":           {"", []string{"PutObject"}, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			got := toldBy(c.stderr, url, c.operations...)
			if c.code == "" {
				if got != nil {
					t.Errorf("%v", got)
				}
				return
			}
			if got == nil || codeOf(got) != c.code || bare(got).Error() != c.code+": "+strings.TrimSuffix(c.says, ".") || !isRefusal(got) {
				t.Errorf("%v", got)
			}
		})
	}
	forged := "s3://b/An error occurred (AccessDenied) when calling the PutObject operation: x/k"
	if got := toldBy("upload failed: - to "+forged+" Unable to locate credentials\n", forged, "PutObject"); got != nil {
		t.Errorf("a key passes for S3's answer: %v", got)
	}
	if isRefusal(errors.New("no answer")) || isRefusal(nil) || isUnmade(nil) {
		t.Error("what S3 did not answer is taken for its answer")
	}
}

func TestListedBy(t *testing.T) {
	const out = "                           PRE more/\n2026-11-24 08:33:09          6 .xshare-probe-a\n2026-11-24 08:33:09 5000000000 .xshare-probe-a b\n"
	want := []string{"in/it's/.xshare-probe-a", "in/it's/.xshare-probe-a b"}
	if diff := cmp.Diff(want, listedBy(out, "in/it's/.xshare-probe-a")); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{".xshare-probe-a"}, listedBy(strings.SplitAfter(out, "\n")[1], ".xshare")); diff != "" {
		t.Error(diff)
	}
	if got := listedBy("", "in/"); got != nil {
		t.Errorf("%q", got)
	}
}

func TestTold(t *testing.T) {
	for stderr, want := range map[string]string{
		"":                                      "it said nothing",
		"failed to run commands: exit status 1": "it said nothing",
		"no\n disk\nfailed to run commands: exit status 1": `it said "no disk"`,
		strings.Repeat("é", 301):                           `it said "` + strings.Repeat("é", 300) + `…"`,
	} {
		if got := told(stderr); got != want {
			t.Errorf("%q: %s", stderr, got)
		}
	}
}
