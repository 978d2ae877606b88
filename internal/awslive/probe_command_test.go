package awslive

import (
	"errors"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
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

// The commands do in a real shell, with the real CLI, what they are for, and
// what it says is understood.
func TestCommandsByTheRealCLI(t *testing.T) {
	if _, err := exec.LookPath("aws"); err != nil {
		if os.Getenv("XSHARE_REQUIRE_MOTO") == "1" {
			t.Fatal("the aws CLI is not on PATH, and XSHARE_REQUIRE_MOTO=1 asks for it")
		}
		t.Skip("the aws CLI is not on PATH")
	}
	b := onSandbox(t)
	_, err := b.raw(t, owner).s3(region).CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: aws.String("probed")})
	must(t, err)
	const key = "it's \"a\" $(id) `id` {{ssm:x}} $HOME\n\\;&|<>ü/.xshare-probe-x"
	c := cli{"probed", region}
	run := func(who, command string) output {
		t.Helper()
		var out, errs strings.Builder
		sh := exec.CommandContext(t.Context(), "sh", "-c", command)
		sh.Env = append(os.Environ(), "AWS_ENDPOINT_URL="+b.endpoint, "AWS_ACCESS_KEY_ID="+who, "AWS_SECRET_ACCESS_KEY=any", "AWS_SESSION_TOKEN=", "AWS_MAX_ATTEMPTS=1", "AWS_EC2_METADATA_DISABLED=true")
		sh.Stdout, sh.Stderr = &out, &errs
		_ = sh.Run() // its status is looked at
		return output{sh.ProcessState.ExitCode(), out.String(), errs.String()}
	}
	if out := run(owner, c.put(key, []byte("it's a text\n"))); out.code != 0 || !isSilent(out) {
		t.Fatalf("put: %+v", out)
	}
	if keys := b.leftovers(t, "probed"); len(keys) != 1 || keys[0] != key {
		t.Errorf("put %q", keys)
	}
	if out := run(owner, c.list(key)); out.code != 0 || !slices.Equal(listedBy(out.stdout, key), []string{key}) {
		t.Errorf("list: %+v", out)
	}
	if out := run(owner, c.list(key+"-none")); out.code != 1 || !isSilent(out) {
		t.Errorf("list of nothing: %+v", out)
	}
	if out := run(owner, c.get(key)); out.code != 0 || out.stdout != "it's a text\n" {
		t.Errorf("get: %+v", out)
	}
	for command, told := range map[string]*cliError{
		"PutObject": toldBy(run(consumer, c.put(key, nil)).stderr, c.url(key), "PutObject"), "ListObjectsV2": toldBy(run(consumer, c.list(key)).stderr, c.url(key), "ListObjectsV2"),
		"GetObject": toldBy(run(consumer, c.get(key)).stderr, c.url(key), "HeadObject"), "DeleteObject": toldBy(run(consumer, c.remove(key)).stderr, c.url(key), "DeleteObject"),
	} {
		if told == nil || !isDenied(told) {
			t.Errorf("%s, denied: %v", command, told)
		}
	}
	if out := run(owner, c.remove(key)); out.code != 0 || !isSilent(out) || len(b.leftovers(t, "probed")) > 0 {
		t.Errorf("remove: %+v, left behind %q", out, b.leftovers(t, "probed"))
	}
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
