package sandbox

import (
	"bytes"
	"context"
	"slices"
	"strconv"
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

// The scripts that instances run: POSIX shell, read by a real shell's parser,
// so that what a caller forgot to quote means here what it means there. They are
// carried out by the few lines below, on nothing but bytes and the sandbox: no
// program, file or variable of this machine is within their reach. What is not
// known is refused before anything runs.

// script is a shell script that is understood.
type script struct{ commands []command }

// instanceHost is where a script runs.
type instanceHost struct {
	server    *Server
	head      *instanceMetadata
	ctx       context.Context // of this one run
	out, errs bytes.Buffer
}

// streams are a command's.
type streams struct {
	in        []byte
	out, errs *bytes.Buffer
}

// status is how a command ended; exits: with it, the script.
type status struct {
	code  int
	exits bool
}

// command is a part of a script.
type command func(h *instanceHost, s streams) status

// run runs the script and gives its exit status.
func (v *script) run(h *instanceHost) int {
	return sequence(v.commands)(h, streams{out: &h.out, errs: &h.errs}).code
}

func sequence(list []command) command {
	return func(h *instanceHost, s streams) (last status) {
		for _, c := range list {
			if last = c(h, s); last.exits || h.ctx.Err() != nil {
				break
			}
		}
		return last
	}
}

// parseScript reads a script, and refuses by name what instances here do not
// know of the shell.
func parseScript(text string) (*script, error) {
	file, err := syntax.NewParser(syntax.Variant(syntax.LangPOSIX)).Parse(strings.NewReader(text), "")
	if err != nil {
		return nil, notImplemented("a script that is no POSIX shell: %v", err)
	}
	commands, err := commandsOf(file.Stmts)
	return &script{commands}, err
}

func commandsOf(list []*syntax.Stmt) (commands []command, err error) {
	for _, s := range list {
		c, err := commandOf(s)
		if err != nil {
			return nil, err
		}
		commands = append(commands, c)
	}
	return commands, nil
}

func unknownShell(what string) error { return notImplemented("%s in a script on an instance", what) }

func commandOf(s *syntax.Stmt) (command, error) {
	if s.Background || s.Coprocess || s.Disown {
		return nil, unknownShell("a command in the background")
	}
	var c command
	var err error
	switch v := s.Cmd.(type) {
	case *syntax.CallExpr:
		c, err = simple(v)
	case *syntax.BinaryCmd:
		c, err = pair(v)
	default:
		return nil, unknownShell("a compound command, or a redirection without one")
	}
	for _, r := range slices.Backward(s.Redirs) { // the first is the outermost: they count from left to right
		if err == nil {
			c, err = redirected(c, r)
		}
	}
	if err != nil {
		return nil, err
	}
	if s.Negated {
		inner := c
		c = func(h *instanceHost, s streams) status {
			st := inner(h, s)
			if !st.exits {
				st.code = map[bool]int{true: 1}[st.code == 0]
			}
			return st
		}
	}
	return c, nil
}

// pair is a pipe, or a list with && or ||. What runs in a pipe is a shell of
// its own, which can exit alone.
func pair(v *syntax.BinaryCmd) (command, error) {
	x, err := commandOf(v.X)
	if err != nil {
		return nil, err
	}
	y, err := commandOf(v.Y)
	if err != nil {
		return nil, err
	}
	switch v.Op {
	case syntax.Pipe:
		return func(h *instanceHost, s streams) status {
			var between bytes.Buffer
			x(h, streams{s.in, &between, s.errs})
			return status{code: y(h, streams{between.Bytes(), s.out, s.errs}).code}
		}, nil
	case syntax.AndStmt, syntax.OrStmt:
		and := v.Op == syntax.AndStmt
		return func(h *instanceHost, s streams) status {
			st := x(h, s)
			if st.exits || (st.code == 0) != and {
				return st
			}
			return y(h, s)
		}, nil
	}
	return nil, unknownShell(v.Op.String())
}

// redirected sends a stream nowhere, or to the other one; there are no files.
func redirected(c command, r *syntax.Redirect) (command, error) {
	to, from := "", ""
	var err error
	if r.N != nil {
		from = r.N.Value
	}
	if r.Word != nil {
		to, err = word(r.Word)
	}
	if err != nil {
		return nil, err
	}
	change := map[string]func(*streams){
		">/dev/null": func(s *streams) { s.out = &bytes.Buffer{} }, "1>/dev/null": func(s *streams) { s.out = &bytes.Buffer{} },
		"2>/dev/null": func(s *streams) { s.errs = &bytes.Buffer{} }, "</dev/null": func(s *streams) { s.in = nil },
		"2>&1": func(s *streams) { s.errs = s.out }, ">&2": func(s *streams) { s.out = s.errs }, "1>&2": func(s *streams) { s.out = s.errs },
	}[from+r.Op.String()+to]
	if change == nil {
		return nil, unknownShell("the redirection " + from + r.Op.String() + to)
	}
	return func(h *instanceHost, s streams) status {
		change(&s)
		return c(h, s)
	}, nil
}

// simple is a program with its arguments.
func simple(v *syntax.CallExpr) (command, error) {
	for _, a := range v.Assigns {
		// The files of the CLI's settings; an instance has none.
		name, value := a.Name.Value, ""
		var err error
		if a.Value != nil {
			value, err = word(a.Value)
		}
		if err != nil {
			return nil, err
		}
		if known := name == "AWS_CONFIG_FILE" || name == "AWS_SHARED_CREDENTIALS_FILE"; !known || value != "/dev/null" || a.Append || len(v.Args) == 0 {
			return nil, unknownShell("the assignment of " + strconv.Quote(value) + " to " + name)
		}
	}
	var args []string
	for _, w := range v.Args {
		text, err := word(w)
		if err != nil {
			return nil, err
		}
		args = append(args, text)
	}
	switch name, args := args[0], args[1:]; name {
	case "aws":
		return awsCommand(args)
	case "true", ":":
		return func(*instanceHost, streams) status { return status{} }, nil
	case "false":
		return func(*instanceHost, streams) status { return status{code: 1} }, nil
	case "exit":
		return exit(args)
	case "printf":
		if len(args) == 2 && (args[0] == "%s" || args[0] == `%s\n`) {
			return printing(args[1] + map[bool]string{true: "\n"}[args[0] != "%s"]), nil
		}
		return nil, unknownShell("printf but for %s and %s\\n with one argument")
	case "echo":
		text := strings.Join(args, " ")
		if strings.HasPrefix(text, "-") || strings.Contains(text, `\`) {
			return nil, unknownShell("echo with options or backslashes") // shells differ on them
		}
		return printing(text + "\n"), nil
	default:
		return nil, unknownShell("the program " + strconv.Quote(name))
	}
}

func printing(text string) command {
	return func(_ *instanceHost, s streams) status {
		s.out.WriteString(text)
		return status{}
	}
}

func exit(args []string) (command, error) {
	code := 0
	if len(args) == 1 {
		var err error
		if code, err = strconv.Atoi(args[0]); err != nil || code < 0 || code > 255 {
			return nil, unknownShell("exit " + strconv.Quote(args[0]))
		}
	}
	if len(args) != 1 {
		return nil, unknownShell("exit without a status")
	}
	return func(*instanceHost, streams) status { return status{code, true} }, nil
}

// word is a word's text, where it has the same in every run: quoted and plain
// parts, and nothing that a shell would replace.
func word(w *syntax.Word) (string, error) {
	var b strings.Builder
	for i, part := range w.Parts {
		switch v := part.(type) {
		case *syntax.Lit:
			text, err := literal(v.Value, i == 0)
			if err != nil {
				return "", err
			}
			b.WriteString(text)
		case *syntax.SglQuoted:
			if v.Dollar {
				return "", unknownShell("$'…'")
			}
			b.WriteString(v.Value)
		case *syntax.DblQuoted:
			for _, inner := range v.Parts {
				lit, ok := inner.(*syntax.Lit)
				if !ok || v.Dollar {
					return "", unknownShell(expansion(inner))
				}
				b.WriteString(unescaped(lit.Value, "$`\"\\\n"))
			}
		default:
			return "", unknownShell(expansion(part))
		}
	}
	return b.String(), nil
}

func expansion(part syntax.WordPart) string {
	switch part.(type) {
	case *syntax.CmdSubst:
		return "command substitution"
	case *syntax.ParamExp:
		return "a variable"
	}
	return "an expansion"
}

// literal is a part of a word outside of quotes.
func literal(text string, first bool) (string, error) {
	if first && strings.HasPrefix(text, "~") {
		return "", unknownShell("a home directory")
	}
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '\\':
			i++
		case '*', '?', '[':
			return "", unknownShell("a pattern of file names")
		}
	}
	return unescaped(text, ""), nil
}

// unescaped takes the backslashes away that stand before one of a set, or
// before anything where there is none, with the line breaks that they hide.
func unescaped(text, set string) string {
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		if text[i] == '\\' && i+1 < len(text) && (set == "" || strings.IndexByte(set, text[i+1]) >= 0) {
			if i++; text[i] == '\n' {
				continue
			}
		}
		b.WriteByte(text[i])
	}
	return b.String()
}
