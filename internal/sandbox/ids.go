package sandbox

import (
	"crypto/sha256"
	"encoding/base32"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"strconv"
	"strings"
)

// digest is a hash of the sandbox's random value and the parts. All that AWS
// draws at random comes from it, so runs can be repeated.
func (s *Server) digest(parts ...string) []byte {
	h := sha256.New()
	for _, p := range append([]string{s.options.Random}, parts...) {
		var n [8]byte
		binary.BigEndian.PutUint64(n[:], uint64(len(p)))
		h.Write(n[:])
		h.Write([]byte(p))
	}
	return h.Sum(nil)
}

// nth counts how often something was created or asked for: 1, 2, …
func (w *world) nth(parts ...string) int {
	k := strings.Join(parts, "/")
	w.Counters[k]++
	return w.Counters[k]
}

// created is the digest for the next thing of that kind and name in an account.
// Other things made before or at the same time do not change it.
func (s *Server) created(account, kind, name string) []byte {
	return s.digest(account, kind, name, strconv.Itoa(s.world.nth(kind, account, name)))
}

// uniqueID is an IAM unique id of 21 characters, such as AROA….
func (s *Server) uniqueID(prefix, account, name string) string {
	return prefix + base32.StdEncoding.EncodeToString(s.created(account, prefix, name))[:21-len(prefix)]
}

// hexID is an EC2-like id: the prefix and 17 hex digits, such as i-0….
func (s *Server) hexID(prefix, account, name string) string {
	return prefix + fmt.Sprintf("%x", s.created(account, prefix, name))[:17]
}

// requestID identifies the call in its answer, as a UUID.
func (s *Server) requestID(c *call) string {
	b := s.digest("request", c.caller.Account, c.service.name, c.operation, c.resource, strconv.Itoa(s.faults.count("request", c)))
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:16])
}

// longTermKey makes a user's access key.
func (s *Server) longTermKey(account, user string) (id, secret string) {
	id = "AKIA" + base32.StdEncoding.EncodeToString(s.created(account, "AKIA", user))[:16]
	return id, base64.StdEncoding.EncodeToString(s.digest("secret", id))[:40]
}

// secret makes a session's key id, secret key and token.
func (s *Server) secret(account, role, session string) (key, secret, token string) {
	b := s.created(account, "ASIA", role+"/"+session)
	key = "ASIA" + base32.StdEncoding.EncodeToString(b)[:16]
	secret = base64.StdEncoding.EncodeToString(s.digest("secret", key))[:40]
	token = "sandbox" + base64.StdEncoding.EncodeToString(append(s.digest("token", key), s.digest("token2", key)...))
	return key, secret, token
}
