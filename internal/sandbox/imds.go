package sandbox

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/xshare/xshare/internal/iampolicy"
)

// metadata serves the metadata of instances, each on a listener of its own:
// in AWS all have the same address, 169.254.169.254, and see their own only.
type metadata struct {
	server *Server

	mu        sync.Mutex
	listeners map[string]string // URL by instance id
}

func newMetadata(s *Server) *metadata {
	return &metadata{server: s, listeners: map[string]string{}}
}

// serveAddress answers GET /_sandbox/instances/<id> with the URL of the
// instance's listener, which it starts at the first request.
func (m *metadata) serveAddress(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet {
		refuseMethod(w, "GET")
		return
	}
	id := strings.TrimPrefix(r.URL.Path, "/_sandbox/instances/")
	refuse := func(status int, format string, args ...any) {
		answerJSON(w, status, map[string]string{"error": fmt.Sprintf(format, args...)})
	}
	m.server.mu.Lock()
	i, _ := m.server.findInstance(id)
	state := ""
	if i != nil {
		state = i.state(m.server.now())
	}
	m.server.mu.Unlock()
	switch {
	case i == nil:
		refuse(http.StatusNotFound, "no account has an instance %q", id)
		return
	case state != stateRunning:
		refuse(http.StatusNotFound, "instance %s is %s: only a running instance has a metadata service", id, state)
		return
	}
	url, err := m.listen(r.Context(), id)
	if err != nil {
		refuse(http.StatusInternalServerError, "instance %s: %v", id, err)
		return
	}
	answerJSON(w, http.StatusOK, map[string]string{"metadata": url})
}

// listen gives the URL of an instance's listener.
func (m *metadata) listen(ctx context.Context, id string) (string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if url := m.listeners[id]; url != "" {
		return url, nil
	}
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("listen for its metadata service: %w", err)
	}
	h := &http.Server{Handler: &instanceMetadata{server: m.server, id: id, tokens: map[string]time.Time{}}, ReadHeaderTimeout: 30 * time.Second}
	ended := make(chan struct{})
	go func() {
		_ = h.Serve(l) // ends when closing closes the listener
		close(ended)
	}()
	m.server.mu.Lock()
	m.server.closing = append(m.server.closing, func() error {
		err := h.Close()
		<-ended
		return err
	})
	m.server.mu.Unlock()
	m.listeners[id] = endpointOf(l)
	return m.listeners[id], nil
}

// findInstance finds an instance in any account and region.
func (s *Server) findInstance(id string) (*instance, *ec2Region) {
	for _, r := range s.world.EC2.Regions {
		if i := r.Instances[id]; i != nil {
			return i, r
		}
	}
	return nil, nil
}

// instanceMetadata is one instance's metadata service (EC2: ec2-instance-metadata).
type instanceMetadata struct {
	server *Server
	id     string

	// Guarded by the server's lock.
	tokens map[string]time.Time // when each ends
	made   int                  // tokens made
	key    string               // of the session given out last
}

const (
	tokenHeader = "X-Aws-Ec2-Metadata-Token"
	ttlHeader   = "X-Aws-Ec2-Metadata-Token-Ttl-Seconds"
)

// ServeHTTP answers as IMDSv2 and, where the instance allows it, IMDSv1. An
// instance that does not run any more does not answer.
func (m *instanceMetadata) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	m.server.mu.Lock()
	status, text, header := m.answer(r)
	m.server.mu.Unlock()
	if status == 0 {
		panic(http.ErrAbortHandler)
	}
	w.Header().Set("Server", "EC2ws")
	w.Header().Set("Content-Type", "text/plain")
	for k, v := range header {
		w.Header().Set(k, v)
	}
	w.WriteHeader(status)
	if r.Method != http.MethodHead {
		_, _ = w.Write([]byte(text)) // the client may be gone
	}
}

// answer makes an answer; status 0: none.
func (m *instanceMetadata) answer(r *http.Request) (status int, text string, header map[string]string) {
	i, at := m.server.findInstance(m.id)
	now := m.server.now()
	switch {
	case i == nil || i.state(now) != stateRunning:
		return 0, "", nil
	case i.Metadata.Endpoint == "disabled":
		return http.StatusForbidden, "", nil
	case r.URL.Path == "/latest/api/token":
		return m.token(r, now)
	case r.Method != http.MethodGet && r.Method != http.MethodHead:
		return http.StatusMethodNotAllowed, "", map[string]string{"Allow": "GET, HEAD"}
	}
	token := r.Header.Get(tokenHeader)
	if ends, ok := m.tokens[token]; token != "" && (!ok || !now.Before(ends)) || token == "" && i.Metadata.Tokens == "required" {
		return http.StatusUnauthorized, "", nil
	}
	text, ok := m.find(strings.TrimPrefix(r.URL.Path, "/"), i, at, now)
	if !ok {
		return http.StatusNotFound, "", nil
	}
	return http.StatusOK, text, nil
}

// token makes a session token of IMDSv2 for 1 second to 6 hours. A request
// that came through a proxy gets none.
func (m *instanceMetadata) token(r *http.Request, now time.Time) (int, string, map[string]string) {
	if r.Method != http.MethodPut {
		return http.StatusMethodNotAllowed, "", map[string]string{"Allow": "PUT"}
	}
	if r.Header.Get("X-Forwarded-For") != "" {
		return http.StatusForbidden, "", nil
	}
	seconds, err := strconv.Atoi(r.Header.Get(ttlHeader))
	if err != nil || seconds < 1 || seconds > 21600 {
		return http.StatusBadRequest, "", nil
	}
	for t, ends := range m.tokens {
		if !now.Before(ends) {
			delete(m.tokens, t)
		}
	}
	m.made++

	sum := sha256.Sum256(m.server.digest("imds", m.id, strconv.Itoa(m.made)))
	token := base64.URLEncoding.EncodeToString(append(sum[:], m.server.digest(m.id)...))[:56]
	m.tokens[token] = now.Add(time.Duration(seconds) * time.Second)
	return http.StatusOK, token, map[string]string{ttlHeader: strconv.Itoa(seconds)}
}

// find gives what stands at a path, or the names below it.
func (m *instanceMetadata) find(path string, i *instance, at *ec2Region, now time.Time) (string, bool) {
	all := m.tree(i, at, now)
	if text, ok := all[path]; ok {
		return text, true
	}
	dir := strings.TrimSuffix(path, "/") + "/"
	if dir == "/" {
		return "latest", true
	}
	var names []string
	for _, k := range sortedKeys(all) {
		if rest, ok := strings.CutPrefix(k, dir); ok {
			name, _, deeper := strings.Cut(rest, "/")
			if deeper {
				name += "/"
			}
			if !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
	}
	return strings.Join(names, "\n"), len(names) > 0
}

// tree has all paths with what stands there.
func (m *instanceMetadata) tree(i *instance, at *ec2Region, now time.Time) map[string]string {
	name := privateName(i, at.Region)
	var groups []string
	for _, id := range i.Groups {
		if g := at.Groups[id]; g != nil {
			groups = append(groups, g.Name)
		}
	}
	domain := "amazonaws.com"
	if m.server.options.Partition == "aws-cn" {
		domain = "amazonaws.com.cn"
	}
	all := map[string]string{
		"ami-id": i.Image, "ami-launch-index": strconv.Itoa(i.Index), "hostname": name, "instance-action": "none", "instance-id": i.ID,
		"instance-life-cycle": "on-demand", "instance-type": i.Type, "local-hostname": name, "local-ipv4": i.Address,
		"placement/availability-zone": i.Zone, "placement/region": at.Region, "reservation-id": i.Reservation,
		"security-groups": strings.Join(groups, "\n"), "services/domain": domain, "services/partition": m.server.options.Partition,
	}
	if i.Metadata.Tags == "enabled" {
		for _, t := range i.Tags {
			all["tags/instance/"+t.Key] = t.Value
		}
	}
	m.addProfile(all, i, at, now)
	out := map[string]string{}
	for k, v := range all {
		out["latest/meta-data/"+k] = v
	}
	if data, err := base64.StdEncoding.DecodeString(i.UserData); err == nil && len(data) > 0 {
		out["latest/user-data"] = string(data)
	}
	out["latest/dynamic/instance-identity/document"] = indented(map[string]any{
		"accountId": at.Account, "architecture": i.Architecture, "availabilityZone": i.Zone, "imageId": i.Image, "instanceId": i.ID,
		"instanceType": i.Type, "pendingTime": i.Launched.UTC().Format(time.RFC3339), "privateIp": i.Address, "region": at.Region, "version": "2017-09-30",
	})
	return out
}

func indented(v any) string {
	b, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return "{}"
	}
	return string(b)
}

// addProfile adds what stands below iam/ where the instance has a profile
// (IAM: troubleshoot_iam-ec2). Without one there is no such path, and an SDK
// finds no credentials.
func (m *instanceMetadata) addProfile(all map[string]string, i *instance, at *ec2Region, now time.Time) {
	a := at.associationOf(i.ID)
	if a == nil {
		return
	}
	updated := now.UTC().Format(time.RFC3339)
	p := m.server.findProfile(a.Profile)
	if p == nil || p.ID != a.ProfileID { // deleted since, or made again
		all["iam/info"] = indented(map[string]string{
			"Code": "InstanceProfileNotFound", "Message": "Instance Profile " + a.Profile + " cannot be found. Please see documentation at http://docs.amazonwebservices.com/IAM/latest/UserGuide/RolesTroubleshooting.html.", "LastUpdated": updated,
		})
		return
	}
	all["iam/info"] = indented(map[string]string{"Code": "Success", "LastUpdated": updated, "InstanceProfileArn": p.ARN, "InstanceProfileId": p.ID})
	r := m.server.world.account(m.server, p.Account).Roles[p.Role]
	if r == nil {
		return
	}
	v, err := m.session(r, i, at, now)
	if err != nil {
		all["iam/security-credentials/"+r.Name] = indented(map[string]string{
			"Code": "AssumeRoleUnauthorizedAccess", "Message": err.Error(), "LastUpdated": updated,
		})
		return
	}
	all["iam/security-credentials/"+r.Name] = indented(map[string]string{
		"Code": "Success", "LastUpdated": updated, "Type": "AWS-HMAC", "AccessKeyId": v.Key, "SecretAccessKey": v.Secret, "Token": v.Token,
		"Expiration": v.Expires.UTC().Format(time.RFC3339),
	})
}

const (
	// instanceSession is how long an instance's credentials are good.
	instanceSession = 6 * time.Hour
	// renewal is how long before their end new ones are there.
	renewal = 5 * time.Hour
)

// session gives the role's credentials for the instance, the last ones as long
// as they are good for a while, where the role trusts EC2.
func (m *instanceMetadata) session(r *role, i *instance, at *ec2Region, now time.Time) (*session, error) {
	if err := m.server.trustsEC2(r, i, at, now); err != nil {
		return nil, err
	}
	if v := m.server.world.Sessions[m.key]; v != nil && v.RoleID == r.ID && v.Expires.Sub(now) > renewal {
		return v, nil
	}
	v := m.server.issueSession(r, i.ID, instanceSession, nil, now)
	v.Source = m.server.arn("ec2", at.Region, at.Account, "instance/"+i.ID)
	m.key = v.Key
	return v, nil
}

// trustsEC2 is an error unless EC2 may assume the role for the instance.
func (s *Server) trustsEC2(r *role, i *instance, at *ec2Region, now time.Time) error {
	trust, err := s.parsed(r.Trust)
	if err != nil {
		return err
	}
	policies := iampolicy.Policies{Resource: &iampolicy.Named{Name: "trust policy of " + r.ARN, Document: trust}}
	if err := s.control(&policies, caller{}, "sts:AssumeRole", r.Account); err != nil {
		return err
	}
	context := map[string][]string{
		"aws:CurrentTime": {now.UTC().Format(time.RFC3339)}, "aws:EpochTime": {itoa(now.Unix())}, "aws:SecureTransport": {"true"},
		"aws:RequestedRegion": {at.Region}, "aws:ResourceAccount": {r.Account}, "sts:RoleSessionName": {i.ID},
		"aws:PrincipalIsAWSService": {"true"}, "aws:PrincipalServiceName": {s.ec2Principal()},
	}
	s.orgKeys(context, "", r.Account)
	d := iampolicy.Evaluate(iampolicy.Request{
		Caller: iampolicy.Caller{Kind: iampolicy.Service, ARN: s.ec2Principal()},
		Action: "sts:AssumeRole", Resource: r.ARN, ResourceAccount: r.Account, Context: context,
	}, policies)
	if !d.Allowed() {
		return errors.New("EC2 cannot assume the role " + r.Name + ". Please see documentation at https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_iam-ec2.html#troubleshoot_iam-ec2_errors-info-doc.")
	}
	return nil
}
