using SafeLlama.Common;

namespace SafeLlama.Data;

/// <summary>The tokenizer that a GGUF file holds in its keys.</summary>
internal static class GgufTokenizer
{
    private const string TokensKey = "tokenizer.ggml.tokens";
    private const string TypesKey = "tokenizer.ggml.token_type";
    private const string ScoresKey = "tokenizer.ggml.scores";
    private const string MergesKey = "tokenizer.ggml.merges";

    /// <exception cref="SafeLlamaException">The keys are missing, broken, or of another kind of tokenizer.</exception>
    public static ITokenizer Load(GgufHeader file)
    {
        var keys = file.Keys;
        return keys.Text("tokenizer.ggml.model") switch
        {
            "llama" => SentencePiece(keys),
            "gpt2" => ByteLevel(keys),
            var other => throw keys.Wrong(
                "tokenizer.ggml.model",
                $"is \"{UnicodeText.Shown(other)}\", expected \"llama\" or \"gpt2\": the file has no tokenizer that "
                    + "is read here"),
        };
    }

    /// <summary>The tokens by id.</summary>
    public static string[] Spellings(GgufKeys keys) => keys.Texts(TokensKey);

    /// <summary>Whether a sequence begins with BOS: as the file says, or as llama.cpp has it for its kind.</summary>
    public static bool AddsBos(GgufKeys keys) => keys.Flag(
        "tokenizer.ggml.add_bos_token",
        otherwise: keys.Text("tokenizer.ggml.model") == "llama"
            || (keys.Has(GgufWords.Key) && GgufWords.Read(keys).IgnoreMerges));

    /// <summary>The ids that the keys give to the ends of a sequence.</summary>
    public static ModelTokens Ids(GgufKeys keys) => new(
        keys.Id("tokenizer.ggml.bos_token_id"),
        keys.Id("tokenizer.ggml.eos_token_id") is { } eos ? [eos] : [],
        keys.Id("tokenizer.ggml.padding_token_id"),
        VocabularySize: null);

    private static SentencePieceBpe SentencePiece(GgufKeys keys)
    {
        var (spellings, types) = Tokens(keys);
        var scores = keys.Numbers(ScoresKey);
        if (scores.Length < spellings.Length || !scores.All(double.IsFinite))
        {
            throw keys.Wrong(ScoresKey, $"has {scores.Length} numbers, expected a finite one for each token");
        }

        var tokens = spellings.Zip(types).ToList();
        var vocabulary = new Vocabulary(tokens, keys.Path);
        var prefix = keys.Flag("tokenizer.ggml.add_space_prefix", otherwise: true);
        var form = new SentencePieceForm
        {
            Prefix = prefix ? PrefixSpace.Always : PrefixSpace.Never,
            StripsPrefix = prefix,
            BytesByRun = true,
        };
        var unknown = Array.IndexOf(types, TokenKind.Unknown);
        var merges = SentencePieceMerges.ByScore(vocabulary, scores, vocabulary.Text.Values.Order());
        var model = new BpeModel(vocabulary, merges)
        {
            Unknown = unknown < 0 ? null : unknown,
            FuseUnknown = true,
            ByteFallback = vocabulary.HasAllBytes,
        };
        return new SentencePieceBpe(model, form, Ends(keys, vocabulary), Added(vocabulary));
    }

    private static ByteLevelBpe ByteLevel(GgufKeys keys)
    {
        var (spellings, types) = Tokens(keys);
        var words = GgufWords.Read(keys);
        var tokens = spellings.Select((spelling, id) => (types[id] == TokenKind.Text
            ? ByteAlphabet.Parse(spelling) ?? throw keys.Wrong(
                TokensKey, $"[{id}] is \"{UnicodeText.Shown(spelling)}\", which holds a character that is no byte")
            : spelling, types[id])).ToList();
        var vocabulary = new Vocabulary(tokens, keys.Path);
        var merges = new BpeMerges();
        var rank = 0;
        foreach (var merge in keys.Texts(MergesKey))
        {
            // The first character may be a space of its own only where it is the token; ours are printed as Ġ.
            var space = merge.IndexOf(' ', Math.Min(1, merge.Length));
            if (space < 0
                || !vocabulary.TryText(ByteAlphabet.Parse(merge[..space]) ?? "", out var left)
                || !vocabulary.TryText(ByteAlphabet.Parse(merge[(space + 1)..]) ?? "", out var right)
                || !vocabulary.TryText(vocabulary.Spelling(left) + vocabulary.Spelling(right), out var joined))
            {
                throw keys.Wrong(
                    MergesKey,
                    $"[{rank}] is \"{UnicodeText.Shown(merge)}\", expected two tokens whose union is a third");
            }

            merges.Add(left, right, rank++, joined);
        }

        var model = new BpeModel(vocabulary, merges) { IgnoreMerges = words.IgnoreMerges, SymbolsAreBytes = true };
        return new ByteLevelBpe(
            model,
            new WordSplitter(words.Patterns.Select(pattern => new SplitRule(pattern)), keys.Path),
            prefixSpace: false,
            Ends(keys, vocabulary),
            Added(vocabulary));
    }

    /// <summary>User-defined tokens are found in a text before anything is joined.</summary>
    private static AddedTokens Added(Vocabulary vocabulary) => new(
        [.. Enumerable.Range(0, vocabulary.Size).Where(id => vocabulary.Kind(id) == TokenKind.Added)
            .Select(id => new AddedToken(id, vocabulary.Spelling(id), TokenKind.Added))],
        TextNormalizer.None);

    /// <summary>Spellings and kinds; unused tokens at the end are padding rows and no tokens.</summary>
    private static (string[] Spellings, TokenKind[] Kinds) Tokens(GgufKeys keys)
    {
        var spellings = Spellings(keys);
        var types = keys.Numbers(TypesKey);
        if (types.Length != spellings.Length || spellings.Length == 0)
        {
            throw keys.Wrong(
                TypesKey, $"has {types.Length} numbers, expected one for each of {spellings.Length} tokens");
        }

        var count = spellings.Length;
        while (count > 1 && types[count - 1] == GgufTokenTypes.Unused)
        {
            count--;
        }

        var kinds = Array.ConvertAll(types[..count], type => GgufTokenTypes.Kind((int)type));
        var odd = Enumerable.Range(0, count).FirstOrDefault(
            id => kinds[id] == TokenKind.Byte && !ByteTokens.IsByte(spellings[id]), -1);
        return odd < 0 ? (spellings[..count], kinds) : throw keys.Wrong(
            TokensKey, $"[{odd}] is \"{UnicodeText.Shown(spellings[odd])}\" of type byte, expected <0x00> … <0xFF>");
    }

    private static SequenceTokens Ends(GgufKeys keys, Vocabulary vocabulary)
    {
        var ids = Ids(keys);
        var eos = ids.Eos is [var id, ..] ? id : throw keys.Wrong(
            "tokenizer.ggml.eos_token_id", "is missing; a sequence needs an end");
        var bos = AddsBos(keys) ? ids.Bos : null;
        return eos < vocabulary.Size && (bos ?? 0) < vocabulary.Size
            ? new SequenceTokens(bos, eos)
            : throw keys.Wrong(
                "tokenizer.ggml.eos_token_id / bos_token_id", $"is outside the {vocabulary.Size} tokens");
    }
}
