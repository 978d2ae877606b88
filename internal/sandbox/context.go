package sandbox

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/xshare/xshare/internal/iampolicy"
)

// surroundings say where calls come from, for tests of conditions that a
// listener on a loopback address would never meet.
type surroundings struct {
	// keys are condition keys by whose calls they are for: everyone's ("all"),
	// an account's, or an access key's. No values: the key is absent.
	keys map[string]map[string][]string
	// endpoints are the policies of VPC endpoints, by id; one without a policy
	// here lets everything through, as AWS's default policy does.
	endpoints map[string]*iampolicy.Document
	text      json.RawMessage // as it was put
}

// byNetwork are the keys that can be set: those that tell of the network and of
// how a request was sent, not of who sent it.
var byNetwork = []string{
	"aws:MultiFactorAuthAge", "aws:MultiFactorAuthPresent", "aws:Referer", "aws:SecureTransport", "aws:SourceIp", "aws:SourceVpc", "aws:SourceVpce",
	"aws:UserAgent", "aws:VpcSourceIp", "aws:VpceAccount", "aws:VpceOrgID", "aws:VpceOrgPaths",
}

// byEndpoint are the keys that requests through a VPC endpoint have. Endpoints
// here are S3's, so other services' requests do not have them.
var byEndpoint = []string{"aws:SourceVpc", "aws:SourceVpce", "aws:VpcSourceIp", "aws:VpceAccount", "aws:VpceOrgID", "aws:VpceOrgPaths"}

// parseSurroundings reads what PUT /_sandbox/context takes.
func parseSurroundings(text []byte) (surroundings, error) {
	s := surroundings{keys: map[string]map[string][]string{}, endpoints: map[string]*iampolicy.Document{}, text: text}
	var members map[string]json.RawMessage
	if err := json.Unmarshal(text, &members); err != nil {
		return s, err
	}
	for _, who := range slices.Sorted(maps.Keys(members)) {
		if strings.HasPrefix(who, "vpce-") {
			d, err := iampolicy.Parse(members[who])
			if err != nil {
				return s, fmt.Errorf("the policy of %s: %w", who, err)
			}
			s.endpoints[who] = d
			continue
		}
		var values map[string]any
		if err := json.Unmarshal(members[who], &values); err != nil {
			return s, fmt.Errorf("%s: %w", who, err)
		}
		s.keys[who] = map[string][]string{}
		for name, v := range values {
			i := slices.IndexFunc(byNetwork, func(known string) bool { return strings.EqualFold(known, name) })
			if i < 0 {
				return s, fmt.Errorf("%s: the key %q cannot be set: it can be %s", who, name, strings.Join(byNetwork, ", "))
			}
			list, ok := stringsOf(v)
			if !ok {
				return s, fmt.Errorf("%s: %s must be a string, a list of strings, or null for a key that is absent", who, name)
			}
			s.keys[who][byNetwork[i]] = list
		}
	}
	return s, nil
}

// stringsOf is a string, a list of them, or null, as a list.
func stringsOf(v any) ([]string, bool) {
	switch v := v.(type) {
	case nil:
		return nil, true
	case string:
		return []string{v}, true
	case []any:
		var out []string
		for _, e := range v {
			text, ok := e.(string)
			if !ok {
				return nil, false
			}
			out = append(out, text)
		}
		return out, len(out) > 0
	}
	return nil, false
}

// apply changes a call's condition keys: everyone's first, then the account's,
// then the access key's. A request through a VPC endpoint has no address unless
// one is given (IAM:reference_policies_condition-keys#condition-keys-sourceip).
func (s *surroundings) apply(c *call, m map[string][]string) {
	for _, who := range []string{"all", c.caller.Account, c.credential.key} {
		set, ok := s.keys[who]
		if !ok {
			continue
		}
		through := c.service.name == "s3" && len(set["aws:SourceVpce"]) > 0
		for name, values := range set {
			switch {
			case slices.Contains(byEndpoint, name) && c.service.name != "s3":
			case values == nil:
				delete(m, name)
			default:
				m[name] = values
			}
		}
		if _, given := set["aws:SourceIp"]; through && !given {
			delete(m, "aws:SourceIp")
		}
	}
}

// endpointPolicy is the policy of the VPC endpoint that a call comes through;
// nil: none limits it.
func (s *surroundings) endpointPolicy(keys map[string][]string) []iampolicy.Named {
	id := first(keys["aws:SourceVpce"])
	d := s.endpoints[id]
	if d == nil {
		return nil
	}
	return []iampolicy.Named{{Name: "policy of the endpoint " + id, Document: d}}
}

// serveContext sets the surroundings by PUT, shows them by GET and ends them by
// DELETE.
func (s *Server) serveContext(w http.ResponseWriter, r *http.Request) {
	var next surroundings
	switch r.Method {
	case http.MethodGet:
		s.mu.Lock()
		next = s.surroundings
		s.mu.Unlock()
	case http.MethodPut:
		var text json.RawMessage
		err := json.NewDecoder(r.Body).Decode(&text)
		if err == nil {
			next, err = parseSurroundings(text)
		}
		if err != nil {
			answerJSON(w, http.StatusBadRequest, map[string]string{"error": err.Error() + `: the body must be like {"all": {"aws:SourceIp": "203.0.113.9"}, "vpce-1": {"Statement": []}}`})
			return
		}
		s.setSurroundings(next)
	case http.MethodDelete:
		s.setSurroundings(next)
	default:
		refuseMethod(w, "GET, PUT, DELETE")
		return
	}
	if next.text == nil {
		next.text = json.RawMessage("{}")
	}
	answerJSON(w, http.StatusOK, next.text)
}

func (s *Server) setSurroundings(next surroundings) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.surroundings = next
}
