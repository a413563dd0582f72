using System.Text;
using SafeLlama.Common;

namespace SafeLlama.Data;

/// <summary>Learns a byte-pair vocabulary with byte fallback: LLaMA's kind of tokenizer, of any size.</summary>
/// <remarks>
/// Words begin as characters; the pair of neighbors seen most often becomes one piece, again and again (Sennrich et
/// al. 2016, arXiv:1508.07909). Of equally frequent pairs the one of smaller ids is taken, and ids follow code points,
/// then the order of learning: the result depends on how often each word occurs and on nothing else, not even on the
/// order of the texts.
/// </remarks>
public static class BpeTrainer
{
    /// <summary>Trains on <paramref name="texts"/>, which are read once.</summary>
    /// <exception cref="SafeLlamaException">
    /// The options do not make sense, or the characters alone do not fit.
    /// </exception>
    public static TrainedTokenizer Train(IEnumerable<string> texts, BpeTrainerOptions options)
    {
        options.Check();
        var words = TrainingWords.Count(texts);
        var tokens = BaseTokens(words, options);
        if (tokens.Count > options.VocabularySize)
        {
            throw SafeLlamaException.Usage(
                $"Tokenizer: a vocabulary of {options.VocabularySize} does not hold its {tokens.Count} control tokens, "
                + $"bytes and characters. Ask for at least {tokens.Count}, or raise the minimum frequency.");
        }

        var corpus = new PairCorpus(words, tokens);
        var merges = new List<(int Left, int Right, int Id)>();
        var ids = tokens.Select((token, id) => (token, id)).Where(t => t.token.Kind == TokenKind.Text)
            .ToDictionary(t => t.token.Spelling, t => t.id, StringComparer.Ordinal);
        while (tokens.Count < options.VocabularySize
            && corpus.MostFrequent(options.MinimumFrequency) is var (left, right))
        {
            var spelling = tokens[left].Spelling + tokens[right].Spelling;
            if (!ids.TryGetValue(spelling, out var id)) // two pairs may spell the same piece: a+bc and ab+c
            {
                id = ids[spelling] = tokens.Count;
                tokens.Add((spelling, TokenKind.Text));
            }

            merges.Add((left, right, id));
            corpus.Merge(left, right, id);
        }

        var frequent = words.Where(w => w.Value >= options.MinimumFrequency).ToList();
        return new TrainedTokenizer(tokens, merges, frequent.Count, frequent.Count(w => ids.ContainsKey(w.Key)));
    }

    /// <summary>Control tokens, the 256 bytes, then every character that is frequent enough, by code point.</summary>
    private static List<(string Spelling, TokenKind Kind)> BaseTokens(
        Dictionary<string, long> words, BpeTrainerOptions options)
    {
        var characters = new SortedDictionary<int, long> { [SentencePieceForm.Space] = options.MinimumFrequency };
        foreach (var (word, count) in words)
        {
            foreach (var rune in word.EnumerateRunes())
            {
                characters[rune.Value] = characters.GetValueOrDefault(rune.Value) + count;
            }
        }

        // Line feeds and the like stay bytes, as in LLaMA's own vocabulary.
        return
        [
            ("<unk>", TokenKind.Unknown),
            ("<s>", TokenKind.Control),
            ("</s>", TokenKind.Control),
            .. options.ControlTokens.Select(token => (token, TokenKind.Control)),
            .. Enumerable.Range(0, 256).Select(b => (ByteTokens.Spelling(b), TokenKind.Byte)),
            .. characters.Where(c => c.Value >= options.MinimumFrequency && !Rune.IsControl(new Rune(c.Key)))
                .Select(c => (new Rune(c.Key).ToString(), TokenKind.Text)),
        ];
    }
}
