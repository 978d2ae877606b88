package awslive

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/xshare/xshare/executor"
)

// probeName is what the probe's objects are named by: this, and random letters.
const probeName = ".xshare-probe-"

// What a probe's calls are made as, and what is expected of them.
const (
	asRole  = "role"
	asOwner = "owner"
	allowed = "allowed"
	denied  = "denied"
)

// probe is one grant being tried.
type probe struct {
	client *Client
	grant  executor.ProbeGrant
	role   objectCalls
	owner  objectCalls // nil: no credentials of the owner's to be had
	result executor.ProbeResult
	why    string   // of the first call of the role's that did not go as expected
	owners string   // the same of the owner's calls
	unmade string   // why a call of the role's could not be made; none is tried after it
	left   []string // keys of our objects that are there
}

// Probe tries a grant by real calls; see executor.Prober. It needs a client
// that may write.
func (c *Client) Probe(ctx context.Context, grant executor.ProbeGrant) (executor.ProbeResult, error) {
	if c.options.ReadOnly {
		return notProbed("this command only reads, and a probe writes an object of its own"), nil
	}
	role, err := c.roleOn(ctx, grant)
	if ctx.Err() != nil {
		return executor.ProbeResult{}, ctx.Err()
	}
	if err != nil {
		return notProbed(err.Error()), nil
	}
	p := &probe{client: c, grant: grant, role: role.objectCalls, result: executor.ProbeResult{Via: role.via}}
	if grant.OwnerManaged {
		s, err := c.session(grant.OwnerAccount)
		if err == nil {
			err = s.ready(ctx)
		}
		if err != nil && ctx.Err() == nil {
			return notProbed("the owner's account cannot be used: " + err.Error()), nil
		}
		if err == nil {
			p.owner = bySDK{s.s3(role.region), grant.Bucket}
		}
	}
	if grant.Write && !grant.Delete && p.owner == nil && ctx.Err() == nil {
		return notProbed("the role may write but not remove, and the owner's account is not managed: nobody could remove the probe's object"), nil
	}
	p.run(ctx)
	p.clean(ctx)
	if ctx.Err() != nil {
		p.why, p.unmade = "", cmp.Or(p.unmade, interruptedReason) // calls that were cut short say nothing
	}
	p.judge()
	return p.result, ctx.Err()
}

const interruptedReason = "it was interrupted"

func notProbed(reason string) executor.ProbeResult {
	return executor.ProbeResult{Verdict: executor.ProbeNotProbed, Reason: reason}
}

// foundRegion is a bucket's region where the grant does not say it, as S3 tells
// it even to those who may not use the bucket; the default region where it does
// not.
func (c *Client) foundRegion(ctx context.Context, api *s3.Client, grant executor.ProbeGrant) string {
	if region := cmp.Or(grant.BucketRegion, c.regionOf(grant.Bucket)); region != "" {
		return region
	}
	region := regionIn(api.HeadBucket(ctx, &s3.HeadBucketInput{Bucket: &grant.Bucket}))
	if region == "" {
		return c.options.Region
	}
	c.setRegion(grant.Bucket, region)
	return region
}

// run makes the calls, prefix by prefix, and the one that was not granted.
func (p *probe) run(ctx context.Context) {
	prefixes := p.grant.Prefixes
	if len(prefixes) == 0 {
		prefixes = []string{""}
	}
	name := probeName + strings.ToLower(rand.Text()[:12])
	for _, prefix := range prefixes {
		if ctx.Err() != nil {
			return
		}
		p.under(ctx, prefix+name)
	}
	if len(p.grant.Prefixes) > 0 && !p.grant.Shared && ctx.Err() == nil {
		p.outside(ctx, name)
	}
}

// under tries what is granted on one key. The object is put by the role, or
// for a role that may only read, by the owner.
func (p *probe) under(ctx context.Context, key string) {
	g := p.grant
	text := []byte("xshare probes the share " + g.Share + "\n")
	placed := false
	switch {
	case g.Write:
		placed = p.put(ctx, asRole, key, allowed, text)
	case (g.Read || g.Delete) && p.owner != nil:
		placed = p.put(ctx, asOwner, key, allowed, text)
	}
	if g.List {
		p.list(ctx, key, allowed, placed)
	}
	if g.Read {
		p.get(ctx, key, allowed, placed, text)
	}
	if len(g.Prefixes) == 0 && !g.Shared {
		p.notGranted(ctx, key)
	}
	if g.Delete {
		p.remove(ctx, asRole, key, allowed)
	}
	if p.isLeft(key) && p.owner != nil {
		p.remove(ctx, asOwner, key, allowed)
	}
}

// notGranted tries one thing on the key that a grant on the whole bucket does
// not give. One that gives all of it withholds nothing.
func (p *probe) notGranted(ctx context.Context, key string) {
	switch g := p.grant; {
	case !g.Write && p.owner != nil: // so that it could be removed, should it be there after all
		p.put(ctx, asRole, key+"-no", denied, nil)
	case !g.Delete:
		p.remove(ctx, asRole, key, denied)
	case !g.Read:
		p.get(ctx, key, denied, false, nil)
	case !g.List:
		p.list(ctx, key, denied, false)
	}
}

// outside tries one thing beyond the granted prefixes. The key has no slash,
// and every prefix ends in one.
func (p *probe) outside(ctx context.Context, key string) {
	switch g := p.grant; {
	case g.Write && (p.owner != nil || g.Delete):
		p.put(ctx, asRole, key, denied, nil)
	case g.Read:
		p.get(ctx, key, denied, false, nil)
	case g.List:
		p.list(ctx, key, denied, false)
	case g.Delete:
		p.remove(ctx, asRole, key, denied)
	}
}

// call makes one call and notes how it went. It reports whether it succeeded.
// What could not be made is no call of S3's, and after it none by the role is
// tried.
func (p *probe) call(as, operation, resource, expected string, do func(objectCalls) error) bool {
	on := p.owner
	if as == asRole {
		on = p.role
		if p.unmade != "" {
			return false
		}
	}
	err := do(on)
	var unprobed *unprobedError
	if errors.As(err, &unprobed) {
		p.unmade = unprobed.reason
		return false
	}
	c := executor.ProbeCall{As: as, Operation: operation, Resource: p.grant.Bucket + "/" + resource, Expected: expected, Code: codeOf(err)}
	if err != nil && c.Code == "" {
		c.Code = "NoAnswer"
		var odd oddAnswerError
		if errors.As(err, &odd) {
			c.Code = "OddAnswer"
		}
	}
	c.OK = expected == allowed && err == nil || expected == denied && isDenied(err)
	p.result.Calls = append(p.result.Calls, c)
	if !c.OK {
		said := "it succeeded"
		if err != nil {
			said = bare(err).Error()
		}
		reason := fmt.Sprintf("%s by the %s on %s should be %s: %s", operation, as, c.Resource, expected, said)
		if as == asOwner && isDenied(err) {
			mend := fmt.Sprintf("allow s3:%s on objects named %s* to the owner's deploy role", operation, probeName)
			if r := refusalOf(err); r.layer != "" {
				mend = r.mend("the owner's deploy role", p.grant.OwnerAccount, "s3:"+operation, bucketARN(p.client, p.grant.Bucket)+"/"+probeName+"*")
			}
			reason += ": " + mend
		}
		switch {
		case as == asRole && p.why == "":
			p.why = reason
		case as == asOwner && p.owners == "":
			p.owners = reason
		}
	}
	return err == nil
}

// oddAnswerError is a call that succeeded with something that makes no sense.
type oddAnswerError string

func (e oddAnswerError) Error() string { return string(e) }

func (p *probe) put(ctx context.Context, as, key, expected string, text []byte) bool {
	return p.call(as, "PutObject", key, expected, func(on objectCalls) error {
		// It counts as there until it is known not to be.
		p.left = append(p.left, key)
		err := on.put(ctx, key, text)
		if isRefusal(err) || isUnmade(err) {
			p.gone(key)
		}
		return err
	})
}

func (p *probe) list(ctx context.Context, key, expected string, placed bool) {
	p.call(asRole, "ListObjectsV2", key, expected, func(on objectCalls) error {
		keys, err := on.list(ctx, key)
		if err == nil && placed && !slices.Contains(keys, key) {
			return oddAnswerError("the object that was just put is not in the list")
		}
		return err
	})
}

// get reads the object. Where none could be placed, S3 tells those who may read
// and list that it is not there, and all others that they may not. White space
// around it may get lost on the way.
func (p *probe) get(ctx context.Context, key, expected string, placed bool, text []byte) {
	p.call(asRole, "GetObject", key, expected, func(on objectCalls) error {
		got, err := on.get(ctx, key)
		if expected == allowed && !placed && isCode(err, "NoSuchKey", "NotFound") {
			return nil
		}
		if err == nil && placed && !bytes.Equal(bytes.TrimSpace(got), bytes.TrimSpace(text)) {
			return oddAnswerError("the object holds something else than what was put")
		}
		return err
	})
}

func (p *probe) remove(ctx context.Context, as, key, expected string) {
	if p.call(as, "DeleteObject", key, expected, func(on objectCalls) error { return on.remove(ctx, key) }) {
		p.gone(key)
	}
}

func (p *probe) gone(key string) {
	p.left = slices.DeleteFunc(p.left, func(k string) bool { return k == key })
}

func (p *probe) isLeft(key string) bool { return slices.Contains(p.left, key) }

// clean removes what is left of our objects, also when the run was cancelled.
func (p *probe) clean(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 30*time.Second)
	defer cancel()
	for _, key := range slices.Clone(p.left) {
		for _, on := range []objectCalls{p.owner, p.role} {
			if on != nil && on.remove(ctx, key) == nil {
				p.gone(key)
				break
			}
		}
	}
}

// judge makes the verdict. What the owner may not do, and what could not be
// tried, says nothing about the grant; but an object that stays behind has to be told.
func (p *probe) judge() {
	switch {
	case len(p.left) > 0:
		p.result.Verdict = executor.ProbeFails
		p.result.Reason = fmt.Sprintf("the probe's own objects could not be removed from %s: %s: remove them by hand, and allow s3:DeleteObject to the owner's deploy role",
			p.grant.Bucket, strings.Join(p.left, ", "))
	case p.why != "":
		p.result.Verdict, p.result.Reason = executor.ProbeFails, p.why
	case p.unmade != "":
		p.result.Verdict, p.result.Reason = executor.ProbeNotProbed, p.unmade
	case p.owners != "":
		p.result.Verdict, p.result.Reason = executor.ProbeNotProbed, p.owners
	case !slices.ContainsFunc(p.result.Calls, func(c executor.ProbeCall) bool { return c.As == asRole && c.Expected == allowed }):
		p.result.Verdict = executor.ProbeNotProbed
		p.result.Reason = "the probe puts, lists, reads and removes an object, and the share grants none of that"
	default:
		p.result.Verdict = executor.ProbeWorks
	}
}
