package project

// truth is the value of a condition. An unknown one is never taken for false without a note.
type truth int

const (
	no truth = iota
	yes
	unknown
)

func truthOf(b bool) truth {
	if b {
		return yes
	}
	return no
}

func (a truth) not() truth {
	switch a {
	case yes:
		return no
	case no:
		return yes
	}
	return unknown
}

func (a truth) and(b truth) truth {
	switch {
	case a == no || b == no:
		return no
	case a == yes && b == yes:
		return yes
	}
	return unknown
}

func (a truth) or(b truth) truth { return a.not().and(b.not()).not() }
