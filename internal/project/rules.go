package project

type rules struct{}

func (r *rules) command(t text)          {}
func (m *makefile) rule(s statement)     {}
