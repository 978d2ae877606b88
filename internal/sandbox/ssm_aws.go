package sandbox

import (
	"bytes"
	"cmp"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"net/http"
	"net/url"
	"path"
	"strconv"
	"strings"
	"time"
)

// The aws CLI of the instances: cp between a stream and an object, ls and rm, as
// calls of the sandbox's own S3 with the credentials that the instance's
// metadata service gives. Its words and exit codes are those of the CLI 1.45; a
// test holds them to the real one where that is installed.

// awsCommand reads the arguments of aws.
func awsCommand(args []string) (command, error) {
	if len(args) < 2 || args[0] != "s3" {
		return nil, unknownShell("aws " + strings.Join(args, " ") + ": it knows s3 cp, ls and rm")
	}
	c := &awsCall{region: "us-east-1"}
	var plain []string
	rest := args[2:]
	for len(rest) > 0 {
		arg := rest[0]
		rest = rest[1:]
		switch {
		case arg == "--region" && len(rest) > 0:
			c.region, rest = rest[0], rest[1:]
		case strings.HasPrefix(arg, "--region="):
			c.region = strings.TrimPrefix(arg, "--region=")
		case arg == "--only-show-errors":
			c.quiet = true
		case strings.HasPrefix(arg, "-") && arg != "-":
			return nil, unknownShell("the option " + arg + " of aws s3 " + args[1])
		default:
			plain = append(plain, arg)
		}
	}
	do := map[string]func(*awsCall) int{"cp -": (*awsCall).upload, "cp s3": (*awsCall).download, "ls s3": (*awsCall).list, "rm s3": (*awsCall).remove}
	form, at := args[1]+" -", 1
	if len(plain) > 0 && strings.HasPrefix(plain[0], "s3://") {
		form, at = args[1]+" s3", 0
	}
	wanted := 1
	if args[1] == "cp" {
		wanted = 2
	}
	if do[form] == nil || len(plain) != wanted || !strings.HasPrefix(plain[at], "s3://") || wanted == 2 && plain[1-at] != "-" {
		return nil, unknownShell("aws s3 " + strings.Join(args[1:], " ") + ": it knows cp between - and an s3:// address, and ls and rm of such an address")
	}
	c.url = plain[at]
	c.bucket, c.key, _ = strings.Cut(strings.TrimPrefix(c.url, "s3://"), "/")
	if c.bucket == "" || c.key == "" && args[1] != "ls" {
		return nil, unknownShell("aws s3 " + args[1] + " of " + c.url)
	}
	return func(h *instanceHost, s streams) status {
		run := *c
		run.instanceHost, run.streams = h, s
		return status{code: do[form](&run)}
	}, nil
}

// awsCall is a command of the CLI's being carried out.
type awsCall struct {
	*instanceHost
	streams
	url, bucket, key, region string
	quiet                    bool
}

// upload is `aws s3 cp - s3://…`.
func (c *awsCall) upload() int {
	return c.transfer("upload failed: - to "+c.url, func() string {
		_, why := c.s3(http.MethodPut, "PutObject", c.key, nil, c.in)
		return why
	})
}

// download is `aws s3 cp s3://… -`: it asks for the head first.
func (c *awsCall) download() int {
	return c.transfer("download failed: "+c.url+" to -", func() string {
		_, why := c.s3(http.MethodHead, "HeadObject", c.key, nil, nil)
		if why != "" {
			return why
		}
		answer, why := c.s3(http.MethodGet, "GetObject", c.key, nil, nil)
		if why == "" {
			c.streams.out.Write(answer.body.Bytes())
		}
		return why
	})
}

// remove is `aws s3 rm s3://…`.
func (c *awsCall) remove() int {
	code := c.transfer("delete failed: "+c.url, func() string {
		_, why := c.s3(http.MethodDelete, "DeleteObject", c.key, nil, nil)
		return why
	})
	if code == 0 && !c.quiet {
		fmt.Fprintf(c.streams.out, "delete: %s\n", c.url)
	}
	return code
}

// transfer says what failed, and why.
func (c *awsCall) transfer(failed string, do func() string) int {
	if why := do(); why != "" {
		fmt.Fprintf(c.streams.errs, "%s %s\n", failed, why)
		return 1
	}
	return 0
}

// list is `aws s3 ls s3://…`: a level of what begins with the key. It fails, in
// silence, where it finds nothing and was asked for something.
func (c *awsCall) list() int {
	found, token := 0, ""
	for {
		query := url.Values{"list-type": {"2"}, "prefix": {c.key}, "delimiter": {"/"}, "encoding-type": {"url"}}
		if token != "" {
			query.Set("continuation-token", token)
		}
		answer, why := c.s3(http.MethodGet, "ListObjectsV2", "", query, nil)
		if why == noCredentials {
			fmt.Fprintf(c.streams.errs, "%s. You can configure credentials by running \"aws configure\".\n", why)
			return 255
		}
		if why != "" {
			fmt.Fprintf(c.streams.errs, "\n%s\n", why)
			return 255
		}
		var page struct {
			CommonPrefixes []struct{ Prefix string }
			Contents       []struct {
				Key          string
				LastModified time.Time
				Size         int64
			}
			NextContinuationToken string
		}
		if err := xml.Unmarshal(answer.body.Bytes(), &page); err != nil {
			fmt.Fprintf(c.streams.errs, "\n%v\n", err)
			return 255
		}
		for _, p := range page.CommonPrefixes {
			fmt.Fprintf(c.streams.out, "%30s %s/\n", "PRE", path.Base(plainKey(p.Prefix)))
		}
		for _, o := range page.Contents {
			key := plainKey(o.Key)
			fmt.Fprintf(c.streams.out, "%s %10d %s\n", o.LastModified.UTC().Format(time.DateTime), o.Size, key[strings.LastIndex(key, "/")+1:])
		}
		found += len(page.CommonPrefixes) + len(page.Contents)
		if token = page.NextContinuationToken; token == "" {
			break
		}
	}
	if found == 0 && c.key != "" {
		return 1
	}
	return 0
}

// plainKey decodes a key of a list.
func plainKey(encoded string) string {
	if key, err := url.QueryUnescape(encoded); err == nil {
		return key
	}
	return encoded
}

// cliRetries is how often the CLI tries again what a server fails at.
const cliRetries = 4

// s3 makes a call of S3's, again where the bucket is in another region or the
// server has failed, and gives the answer, or what the CLI says of a failure.
func (c *awsCall) s3(method, operation, key string, query url.Values, body []byte) (*reply, string) {
	id, token, ok := c.credentials()
	if !ok {
		return nil, noCredentials
	}
	address := url.URL{Scheme: "http", Host: "127.0.0.1", Path: "/" + c.bucket + "/" + key, RawQuery: query.Encode()}
	region := c.region
	for tries := 0; ; tries++ {
		header := http.Header{
			"Authorization":        {"AWS4-HMAC-SHA256 Credential=" + id + "/" + time.Now().UTC().Format("20060102") + "/" + region + "/s3/aws4_request, SignedHeaders=host, Signature=0"},
			"X-Amz-Security-Token": {token}, "User-Agent": {"aws-cli"}, "Content-Length": {strconv.Itoa(len(body))},
		}
		answer := c.ask(c.server, method, address, header, body)
		switch elsewhere := answer.header.Get("X-Amz-Bucket-Region"); {
		case answer.status >= 200 && answer.status < 300:
			return answer, ""
		case elsewhere != "" && elsewhere != region && (answer.status == http.StatusMovedPermanently || answer.status == http.StatusBadRequest) && tries < cliRetries:
			region = elsewhere
		case (answer.status == 0 || answer.status >= 500) && tries < cliRetries && c.ctx.Err() == nil:
		default:
			return nil, answer.told(operation, address, tries)
		}
	}
}

const noCredentials = "Unable to locate credentials"

// credentials come from the instance's metadata service, as IMDSv2 has them.
func (c *awsCall) credentials() (id, token string, ok bool) {
	at := func(p string) url.URL {
		return url.URL{Scheme: "http", Host: "169.254.169.254", Path: "/latest/" + p}
	}
	session := c.ask(c.head, http.MethodPut, at("api/token"), http.Header{ttlHeader: {"21600"}}, nil)
	if session.status != http.StatusOK {
		return "", "", false
	}
	header := http.Header{tokenHeader: {session.body.String()}}
	const list = "meta-data/iam/security-credentials/"
	role := c.ask(c.head, http.MethodGet, at(list), header, nil)
	if role.status != http.StatusOK {
		return "", "", false
	}
	answer := c.ask(c.head, http.MethodGet, at(list+role.body.String()), header, nil)
	var v struct{ Code, AccessKeyID, Token string }
	if answer.status != http.StatusOK || json.Unmarshal(answer.body.Bytes(), &v) != nil {
		return "", "", false
	}
	return v.AccessKeyID, v.Token, v.Code == "Success"
}

// reply is an answer; status 0: there was none.
type reply struct {
	status int
	header http.Header
	body   bytes.Buffer
}

// Header, WriteHeader and Write make it an http.ResponseWriter.

func (r *reply) Header() http.Header { return r.header }

func (r *reply) WriteHeader(status int) { r.status = status }

func (r *reply) Write(p []byte) (int, error) {
	r.status = cmp.Or(r.status, http.StatusOK)
	return r.body.Write(p)
}

// ask makes a request of a handler of this process's.
func (c *awsCall) ask(h http.Handler, method string, at url.URL, header http.Header, body []byte) (answer *reply) {
	answer = &reply{header: http.Header{}}
	r, err := http.NewRequestWithContext(c.ctx, method, at.String(), bytes.NewReader(body))
	if err != nil {
		return answer
	}
	r.Header, r.RemoteAddr = header, "127.0.0.1:0"
	defer func() {
		if v := recover(); v != nil {
			if v != http.ErrAbortHandler { //nolint:errorlint // net/http compares it so
				panic(v)
			}
			answer = &reply{header: http.Header{}} // the connection was closed without an answer
		}
	}()
	h.ServeHTTP(answer, r)
	return answer
}

// told is what the CLI says of a failure.
func (r *reply) told(operation string, at url.URL, retries int) string {
	if r.status == 0 {
		return fmt.Sprintf("Connection was closed before we received a valid response from endpoint URL: %q.", at.String())
	}
	var e struct{ Code, Message string }
	if xml.Unmarshal(r.body.Bytes(), &e) != nil || e.Code == "" { // HEAD has no body
		e.Code, e.Message = strconv.Itoa(r.status), http.StatusText(r.status)
	}
	after := ""
	if retries >= cliRetries {
		after = fmt.Sprintf(" (reached max retries: %d)", cliRetries)
	}
	return fmt.Sprintf("An error occurred (%s) when calling the %s operation%s: %s", e.Code, operation, after, e.Message)
}
