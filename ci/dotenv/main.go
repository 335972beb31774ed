// Prints generated .env files and the names that azd's reader finds in each, one JSON document a line.
//
//	go run . COUNT [SEED]
package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"math/rand"
	"os"
	"regexp"
	"sort"
	"strconv"

	"github.com/joho/godotenv"
)

// Parts that decide where a name or a value begins and ends, in every order.
var parts = []string{
	"A", "PATH", "B_1", "x.y", "Ü", "=", "=", "=", ":", "\n", "\n", "\r\n", "\r", " ", "\t", "\v", "\f", "\u0085", "\u00a0", "\u2003",
	"\x85", "\xa0", "\xc2", "\xff", "\"", "\"", "'", "'", "`", "#", " #", "\\", "\\n", "\\\"", "$", "${A}", "$A", "export", "export ",
	"export\t", "\ufeff", "-", "HTTPS_PROXY=http://h:1", "K: v", "Q=\"a b\"", "Q='a\nb'", "\x00", "a b", "!", ",",
}

// Ends of lines that are well formed, and of which some hold or hide the next name.
var lines = []string{
	"=1\n", ": 1\n", " = x \r\n", "=\"a b\"\n", "='a'", "=\"x\"", "=\"a\nPATH=1\"\n", "='a\nPATH=1'\n", "= # PATH=1\n",
	"=\"\\\"PATH=1\"\n", "\t:\tx\r", "\u00a0=x\n", "\x85=x\n", "=\n", "\v=x#y\n", "='\\'PATH=1\n",
}

// The names that a program could read. Others, with a blank in them say, azd passes on as well.
var plain = regexp.MustCompile(`^[A-Za-z0-9_.]+$`)

type document struct {
	Text  []byte   `json:"text"`
	Names []string `json:"names"`
}

func main() {
	count, seed := number(1, 1000), int64(number(2, 1))
	random := rand.New(rand.NewSource(seed))
	out := bufio.NewWriter(os.Stdout)
	defer out.Flush()
	encoder := json.NewEncoder(out)
	for range count {
		if err := encoder.Encode(one(random)); err != nil {
			panic(err)
		}
	}
}

func number(index, otherwise int) int {
	if len(os.Args) <= index {
		return otherwise
	}
	value, err := strconv.Atoi(os.Args[index])
	if err != nil {
		panic(err)
	}
	return value
}

func one(random *rand.Rand) document {
	var text []byte
	// Most files of parts alone are refused whole, so most are lines with a few parts thrown in.
	rarely := []int{1, 10, 20, 40}[random.Intn(4)]
	for range 1 + random.Intn(24) {
		if random.Intn(rarely) == 0 {
			text = append(text, parts[random.Intn(len(parts))]...)
			continue
		}
		text = append(text, "N"+strconv.Itoa(random.Intn(9))...)
		text = append(text, lines[random.Intn(len(lines))]...)
	}
	names := []string{}
	if values, err := godotenv.Parse(bytes.NewReader(text)); err == nil {
		for name := range values {
			if plain.MatchString(name) {
				names = append(names, name)
			}
		}
	}
	sort.Strings(names)
	return document{text, names}
}
