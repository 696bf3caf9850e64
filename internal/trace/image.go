package trace

import (
	"debug/pe"
	"encoding/binary"
	"fmt"
	"os"
)

// image is what a trace must know of the driver's file.
type image struct {
	path  string
	data  []byte
	entry uint32 // RVA of the entry routine
	size  uint32 // in memory
}

const (
	maxImage       = 256 << 20
	minOptional    = 72    // up to and with Subsystem
	subsystemNT    = 1     // IMAGE_SUBSYSTEM_NATIVE
	optionalMagic  = 0x20b // PE32+
	offsetLfanew   = 0x3c
	offsetOptional = 24 // from the PE signature
)

// openDriver reads the file and refuses what Wine could not load as a driver, with a better reason than Wine's.
func openDriver(path string) (image, error) {
	info, err := os.Stat(path)
	if err != nil {
		return image{}, err
	}
	if !info.Mode().IsRegular() || info.Size() > maxImage {
		return image{}, fmt.Errorf("%s: no driver: want a regular file of at most 256 MB", path)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return image{}, err
	}
	d, err := parseImage(data)
	if err != nil {
		return image{}, fmt.Errorf("%s: %w", path, err)
	}
	d.path = path
	return d, nil
}

// parseImage reads the headers of an image from anywhere: each offset is checked before it is followed.
func parseImage(data []byte) (image, error) {
	if len(data) < offsetLfanew+4 || string(data[:2]) != "MZ" {
		return image{}, fmt.Errorf("no PE image: want a built driver (.sys)")
	}
	// as int64, in which no sum below can overflow
	at := int64(binary.LittleEndian.Uint32(data[offsetLfanew:]))
	if at+offsetOptional+minOptional > int64(len(data)) || string(data[at:at+4]) != "PE\x00\x00" {
		return image{}, fmt.Errorf("no PE image: no PE header at 0x%x", at)
	}
	coff, optional := data[at+4:], data[at+offsetOptional:]
	if machine := binary.LittleEndian.Uint16(coff); machine != pe.IMAGE_FILE_MACHINE_AMD64 {
		return image{}, fmt.Errorf("built for %s: Wine loads x64 drivers only; trace the x64 build", machineName(machine))
	}
	if binary.LittleEndian.Uint16(optional) != optionalMagic {
		return image{}, fmt.Errorf("no PE image: its optional header is not that of an x64 image")
	}
	d := image{
		data:  data,
		entry: binary.LittleEndian.Uint32(optional[16:]),
		size:  binary.LittleEndian.Uint32(optional[56:]),
	}
	if s := binary.LittleEndian.Uint16(optional[68:]); s != subsystemNT {
		return image{}, fmt.Errorf("no kernel driver: its subsystem is %d, want 1 (native)", s)
	}
	if d.entry == 0 {
		return image{}, fmt.Errorf("the image has no entry routine: nothing runs when it is loaded")
	}
	return d, nil
}

func machineName(machine uint16) string {
	switch machine {
	case pe.IMAGE_FILE_MACHINE_I386:
		return "x86"
	case pe.IMAGE_FILE_MACHINE_ARMNT:
		return "ARM"
	case pe.IMAGE_FILE_MACHINE_ARM64:
		return "ARM64"
	}
	return fmt.Sprintf("machine 0x%x", machine)
}
