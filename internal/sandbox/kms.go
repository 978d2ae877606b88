package sandbox

import (
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/xshare/xshare/internal/iampolicy"
)

// kmsTarget is how X-Amz-Target begins for KMS.
const kmsTarget = "TrentService."

// kmsWorld is KMS's part of the state.
type kmsWorld struct {
	Keys    map[string]*kmsKey   // by key id
	Aliases map[string]*kmsAlias // by ARN
}

// complete makes what an empty or older state file lacks.
func (w *kmsWorld) complete() {
	if w.Keys == nil {
		w.Keys = map[string]*kmsKey{}
	}
	if w.Aliases == nil {
		w.Aliases = map[string]*kmsAlias{}
	}
}

// kmsKey is a symmetric encryption key, the only kind here.
type kmsKey struct {
	ID, ARN, Account, Region string
	Created                  time.Time
	Description              string
	Policy                   boundPolicy
	Disabled                 bool
	Deletion                 time.Time // when it is gone for good; zero: it is not to be deleted
	Managed                  bool      // by AWS, for one of its services
	Tags                     []tag     `json:",omitempty"`
	Secret                   []byte
	Used                     int                  // how often it sealed something or made a key; no nonce comes twice
	Grants                   map[string]*kmsGrant `json:",omitempty"`
}

// kmsAlias is another name of a key in its account and region.
type kmsAlias struct {
	ARN, Name, Account, Region string
	Key                        string // its id
	Created, Updated           time.Time
}

// newKMS is the KMS service.
func newKMS(*Server) *service {
	ops := jsonOperations{}
	for _, part := range []jsonOperations{kmsKeyOperations(), kmsPolicyOperations(), kmsAliasOperations(), kmsGrantOperations(), kmsCryptoOperations()} {
		for name, run := range part {
			ops[name] = run
		}
	}
	return jsonService("kms", kmsTarget, ops, []string{"KeyId", "TargetKeyId", "AliasName"})
}

func kmsFault(code, format string, args ...any) *apiError {
	return fault(http.StatusBadRequest, code, format, args...)
}

func kmsInvalid(format string, args ...any) *apiError {
	return kmsFault("ValidationException", format, args...)
}

// missingMember is a required member that was not sent.
func missingMember(name string) *apiError {
	return kmsInvalid("1 validation error detected: Value null at '%s' failed to satisfy constraint: Member must not be null", strings.ToLower(name[:1])+name[1:])
}

func kmsNotFound(format string, args ...any) *apiError {
	return kmsFault("NotFoundException", format, args...)
}

// newKey makes a key with its secret and adds it to the state.
func (s *Server) newKey(account, region string, now time.Time) *kmsKey {
	b := s.created(account, "key", region)
	id := fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:16])
	k := &kmsKey{
		ID: id, ARN: s.arn("kms", region, account, "key/"+id), Account: account, Region: region, Created: now,
		Secret: s.digest("key material", id), Grants: map[string]*kmsGrant{},
	}
	s.world.KMS.Keys[id] = k
	s.store.touch()
	return k
}

// living finds a key that is not deleted yet.
func (s *Server) living(id string) *kmsKey {
	k := s.world.KMS.Keys[id]
	if k == nil || !k.Deletion.IsZero() && !s.now().Before(k.Deletion) {
		return nil
	}
	return k
}

// state is the key's state as DescribeKey has it (KMS:key-state).
func (k *kmsKey) state() string {
	switch {
	case !k.Deletion.IsZero():
		return "PendingDeletion"
	case k.Disabled:
		return "Disabled"
	}
	return "Enabled"
}

// usable refuses what a disabled key, or one that is to be deleted, is not
// there for (KMS:key-state).
func (k *kmsKey) usable() error {
	if k.state() == "Disabled" {
		return kmsFault("DisabledException", "%s is disabled.", k.ARN)
	}
	return k.kept()
}

// kept refuses what cannot be done with a key that is to be deleted.
func (k *kmsKey) kept() error {
	if k.state() == "PendingDeletion" {
		return kmsFault("KMSInvalidStateException", "%s is pending deletion.", k.ARN)
	}
	return nil
}

// found is a key as a request names it.
type found struct {
	key     *kmsKey // nil: there is none
	arn     string  // that was looked for: of a key or an alias
	account string  // that it would be in
	alias   string  // the alias that it was named by; empty: by itself
}

var keyIDForm = regexp.MustCompile(`^(mrk-[0-9a-f]{32}|[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})$`)

// findKey finds a key by its id, its ARN, an alias or an alias's ARN. Names
// without an account are of the account and region given
// (KMS:find-cmk-id-arn).
func (s *Server) findKey(name, account, region string) (found, error) {
	resource := name
	if strings.HasPrefix(name, "arn:") {
		a := iampolicy.CutARN(name)
		switch {
		case a.Partition != s.options.Partition || a.Service != "kms" || !accountKey.MatchString(a.Account):
			return found{}, kmsNotFound("Invalid arn %s", name)
		case a.Region != region:
			return found{}, kmsNotFound("Invalid arn %s", a.Region)
		}
		account, resource = a.Account, a.Resource
	} else if !strings.HasPrefix(name, "alias/") {
		resource = "key/" + name
	}
	f := found{arn: s.arn("kms", region, account, resource), account: account}
	id, byID := strings.CutPrefix(resource, "key/")
	switch {
	case byID && !keyIDForm.MatchString(id):
		return found{}, kmsNotFound("Invalid keyId '%s'", id)
	case byID:
		if k := s.living(id); k != nil && k.ARN == f.arn {
			f.key = k
		}
		return f, nil
	case !strings.HasPrefix(resource, "alias/"):
		return found{}, kmsNotFound("Invalid arn %s", name)
	}
	f.alias = resource
	if resource == s3Alias && s.world.Accounts[account] != nil {
		f.key = s.managedKey(account, region)
	} else if a := s.world.KMS.Aliases[f.arn]; a != nil {
		f.key = s.living(a.Key)
	}
	return f, nil
}

// s3Alias is the name of the AWS managed key that S3 uses by itself.
const s3Alias = "alias/aws/s3"

// managedKey is an account's aws/s3 in a region, made at its first use. Its
// policy lets all of the account use it, through S3 only, and nobody else; it
// cannot be changed.
func (s *Server) managedKey(account, region string) *kmsKey {
	arn := s.arn("kms", region, account, s3Alias)
	if a := s.world.KMS.Aliases[arn]; a != nil {
		return s.living(a.Key)
	}
	k := s.newKey(account, region, s.now())
	k.Managed, k.Description = true, "Default key that protects my S3 objects when no other key is defined"
	k.Policy.Text = `{"Version":"2012-10-17","Id":"auto-s3-2","Statement":[` +
		`{"Sid":"Allow access through S3 for all principals in the account that are authorized to use S3","Effect":"Allow","Principal":{"AWS":"*"},` +
		`"Action":["kms:Encrypt","kms:Decrypt","kms:ReEncrypt*","kms:GenerateDataKey*","kms:DescribeKey"],"Resource":"*",` +
		`"Condition":{"StringEquals":{"kms:CallerAccount":"` + account + `","kms:ViaService":"` + s3Via(region) + `"}}},` +
		`{"Sid":"Allow direct access to key metadata to the account","Effect":"Allow","Principal":{"AWS":"` + s.arn("iam", "", account, "root") + `"},` +
		`"Action":["kms:Describe*","kms:Get*","kms:List*"],"Resource":"*"}]}`
	now := s.now()
	s.world.KMS.Aliases[arn] = &kmsAlias{ARN: arn, Name: s3Alias, Account: account, Region: region, Key: k.ID, Created: now, Updated: now}
	return k
}

// s3Via is kms:ViaService of the calls that S3 makes.
func s3Via(region string) string { return "s3." + region + ".amazonaws.com" }

// keyPermission is what an action on a key needs: the key policy with the
// grants, and KMS's condition keys.
func (c *call) keyPermission(k *kmsKey, action string, context map[string][]string) (permission, error) {
	p := permission{action: action, resource: k.ARN, account: k.Account, context: c.keyKeys(k, context)}
	d, err := c.server.keyPolicy(k)
	if err != nil {
		return p, fmt.Errorf("the stored policy of key %s: %w", k.ARN, err)
	}
	p.policy = &iampolicy.Named{Name: "key policy of " + k.ARN, Document: d}
	return p, nil
}

// keyKeys are the condition keys of requests about a key
// (KMS:conditions-kms), with more.
func (c *call) keyKeys(k *kmsKey, more map[string][]string) map[string][]string {
	m := map[string][]string{
		"kms:CallerAccount": {c.caller.Account}, "kms:KeySpec": {keySpec}, "kms:KeyUsage": {keyUsage}, "kms:KeyOrigin": {"AWS_KMS"}, "kms:MultiRegion": {"false"},
	}
	for _, a := range c.server.world.KMS.Aliases {
		if a.Key == k.ID {
			m["kms:ResourceAliases"] = append(m["kms:ResourceAliases"], a.Name)
		}
	}
	slices.Sort(m["kms:ResourceAliases"])
	for _, t := range k.Tags {
		m["aws:ResourceTag/"+t.Key] = []string{t.Value}
	}
	for name, v := range more {
		m[name] = v
	}
	return m
}

// onKey finds the key that a call names and asks for an action on it. Other
// accounts are not told whether there is such a key.
func (c *call) onKey(action, name string, context map[string][]string) (*kmsKey, error) {
	if name == "" {
		return nil, missingMember("KeyId")
	}
	f, err := c.server.findKey(name, c.caller.Account, c.credential.region)
	if err != nil {
		return nil, err
	}
	if f.key == nil {
		return nil, c.noKey(action, f)
	}
	if f.alias != "" {
		context = withKey(context, "kms:RequestAlias", f.alias)
	}
	p, err := c.keyPermission(f.key, action, context)
	if err != nil {
		return nil, err
	}
	return f.key, c.authorize(p)
}

// onOwnKey is onKey for the operations that take no alias.
func (c *call) onOwnKey(action, name string, context map[string][]string) (*kmsKey, error) {
	if strings.HasPrefix(name, "alias/") || strings.Contains(name, ":alias/") {
		return nil, kmsNotFound("Invalid keyId '%s'", name)
	}
	return c.onKey(action, name, context)
}

// noKey answers for a key that is not there: like a key that does not let
// other accounts in, or one with the default policy in the caller's own.
func (c *call) noKey(action string, f found) error {
	document, err := c.server.document(defaultKeyPolicy(c.server.arn("iam", "", f.account, "root")))
	if err != nil {
		return err
	}
	if f.account != c.caller.Account {
		document = &iampolicy.Document{Version: iampolicy.Version2012}
	}
	// Of an alias it is the key that a policy would decide on.
	resource := strings.Replace(f.arn, ":alias/", ":key/", 1)
	p := permission{action: action, resource: resource, account: f.account, policy: &iampolicy.Named{Name: "key policy", Document: document}}
	if err := c.authorize(p); err != nil {
		return err
	}
	if f.alias != "" {
		return kmsNotFound("Alias %s is not found.", f.arn)
	}
	return kmsNotFound("Key '%s' does not exist", f.arn)
}

// withKey is a copy of condition keys with one more.
func withKey(context map[string][]string, name string, values ...string) map[string][]string {
	m := map[string][]string{name: values}
	for k, v := range context {
		m[k] = v
	}
	return m
}

// kmsPage gives the entries after a marker, sorted by their keys, and the next
// marker where there are more.
func kmsPage[T any](list []T, key func(T) string, in kmsPaging) ([]T, kmsPaged, error) {
	most := 100
	if in.Limit != nil {
		if most = *in.Limit; most < 1 || most > 1000 {
			return nil, kmsPaged{}, kmsInvalid("1 validation error detected: Value '%d' at 'limit' failed to satisfy constraint: Member must have value between 1 and 1000", most)
		}
	}
	after, err := decodeToken(in.Marker)
	if err != nil {
		return nil, kmsPaged{}, kmsFault("InvalidMarkerException", "The marker is not valid")
	}
	out, next := tokenPage(list, key, after, most)
	return out, kmsPaged{NextMarker: next, Truncated: next != ""}, nil
}

type kmsPaging struct {
	Limit  *int
	Marker string
}

type kmsPaged struct {
	NextMarker string `json:",omitempty"`
	Truncated  bool
}
