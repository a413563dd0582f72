using SafeLlama.Common;

namespace SafeLlama.Data;

/// <summary>A tokenizer as the keys of a GGUF file, such that llama.cpp gives the same ids.</summary>
/// <param name="Keys">In the order in which they are written.</param>
/// <param name="Notes">What is unusual yet allowed, a line each.</param>
public sealed record GgufTokenizerKeys(
    IReadOnlyList<(string Key, object Value)> Keys, IReadOnlyList<string> Notes)
{
    /// <summary>The score of a piece that no merge makes: below all others.</summary>
    private const float Unreached = -1e6f;

    /// <summary>No tokenizer: callers hand in ids.</summary>
    public static GgufTokenizerKeys None { get; } =
        new([("tokenizer.ggml.model", "none")], ["The file holds no tokenizer: only ids can be given to it."]);

    /// <param name="tokenizer">The model's.</param>
    /// <param name="rows">V of the weights; rows without a token get one that text never reaches.</param>
    /// <param name="model">What <c>config.json</c> says of its tokens.</param>
    /// <exception cref="SafeLlamaException">GGUF has no words for a rule of this tokenizer.</exception>
    public static GgufTokenizerKeys Of(ITokenizer tokenizer, int rows, ModelTokens model)
    {
        var notes = new List<string>();
        var keys = tokenizer switch
        {
            SentencePieceBpe pieces => SentencePiece(pieces, rows, notes),
            ByteLevelBpe bytes => ByteLevel(bytes, rows, notes),
            TiktokenBpe words => Tiktoken(words, rows),
            _ => throw SafeLlamaException.InvalidData(
                $"The tokenizer is a {tokenizer.GetType().Name}, which GGUF export does not know; write the file "
                + "without a tokenizer, or use one of BPE."),
        };
        keys.AddRange(Ends(tokenizer, model, notes));
        CheckAdded((VocabularyTokenizer)tokenizer, notes);
        return new(keys, notes);
    }

    /// <summary>The same with a chat template, and BOS from the runtime where the template leaves it to that.</summary>
    public GgufTokenizerKeys For(PromptTemplate template)
    {
        const string AddsBos = "tokenizer.ggml.add_bos_token";
        var form = TemplateForm.Of(template);
        var adds = Keys.Contains((AddsBos, true));
        IReadOnlyList<string> more = adds && !form.Begins
            ? ["The chat template writes BOS itself or has none, so the runtime is told to put none before a prompt."]
            : [];
        var text = template is JinjaTemplate own ? own.Source : JinjaForm.Write(form, writesBegin: false);
        return new(
            [
                .. Keys.Select(pair => pair.Key == AddsBos ? (AddsBos, adds && form.Begins) : pair),
                (GgufChatTemplate.Key, text),
            ],
            [.. Notes, .. more]);
    }

    private static List<(string, object)> SentencePiece(SentencePieceBpe tokenizer, int rows, List<string> notes)
    {
        var (vocabulary, form) = (tokenizer.Vocabulary, tokenizer.Form);
        Refuse(!vocabulary.HasAllBytes, "lacks byte tokens (<0x00> … <0xFF>)");
        Refuse(form.SplitAtSpaces, "divides texts at every space (pre_tokenizer Metaspace with split)");
        Refuse(tokenizer.Model.IgnoreMerges, "takes whole words without merging (ignore_merges)");
        Refuse(!tokenizer.Model.ByteFallback, "writes no bytes (byte_fallback is off)");
        Refuse(form.RemovesExtraSpaces, "drops extra spaces (remove_extra_whitespaces)");
        Refuse(!form.EscapesSpaces && !tokenizer.Normalizer.IsLlamas, "does not write spaces as ▁");
        Refuse(form.EscapesSpaces && tokenizer.Normalizer.Steps.Count > 0, "has a normalizer that is not LLaMA's");
        if (form.PrefixFirstOnly)
        {
            notes.Add("A text behind a control token gets a space from llama.cpp, and so other ids: the tokenizer puts "
                + "one only where a sequence begins, which GGUF cannot say.");
        }

        if (form.Prefix == PrefixSpace.WhereMissing)
        {
            notes.Add("A text that begins with a space gets one more from llama.cpp, and so other ids: the tokenizer "
                + "puts one only where it is missing, which GGUF cannot say.");
        }

        // The rank of the first merge that makes a piece orders the pieces as scores do.
        var scores = Enumerable.Range(0, rows).Select(id => IsText(vocabulary, id) ? Unreached : 0).ToArray();
        foreach (var (_, _, rank, id) in tokenizer.Model.Merges.InOrder)
        {
            scores[id] = Math.Max(scores[id], -rank);
        }

        return
        [
            ("tokenizer.ggml.model", "llama"),
            (GgufWords.Key, "default"),
            .. Tokens(vocabulary, rows, spelling => spelling, [.. form.WholePieces.Select(piece => piece.Id)]),
            ("tokenizer.ggml.scores", scores),
            ("tokenizer.ggml.add_space_prefix", form.Prefix != PrefixSpace.Never || tokenizer.Normalizer.IsLlamas),
        ];
    }

    private static List<(string, object)> ByteLevel(ByteLevelBpe tokenizer, int rows, List<string> notes)
    {
        var words = GgufWords.Of(tokenizer.Patterns);
        Refuse(words is null, "divides texts by an expression that no name of tokenizer.ggml.pre stands for");
        Refuse(tokenizer.PrefixSpace, "puts a space before every text (add_prefix_space)");
        if (words!.IgnoreMerges != tokenizer.Model.IgnoreMerges)
        {
            var unreached = tokenizer.Unreached;
            Refuse(unreached is not null, $"has ignore_merges {tokenizer.Model.IgnoreMerges}, and merges alone do not "
                + $"make \"{UnicodeText.Shown(unreached ?? "")}\"");
            notes.Add($"ignore_merges is {tokenizer.Model.IgnoreMerges} here and {words.IgnoreMerges} in llama.cpp for "
                + $"{words.Name}; every token is made by merges, so ids are the same.");
        }

        return
        [
            ("tokenizer.ggml.model", "gpt2"),
            (GgufWords.Key, words.Name),
            .. Tokens(tokenizer.Vocabulary, rows, ByteAlphabet.Print, []),
            ("tokenizer.ggml.merges", tokenizer.Model.Merges.InOrder
                .Select(m => Pair(tokenizer.Vocabulary, m.Left, m.Right)).ToArray()),
        ];
    }

    /// <summary>
    /// Of a vocabulary by rank, every way to cut a token in two is a merge, and the token's rank is the merge's.
    /// </summary>
    private static List<(string, object)> Tiktoken(TiktokenBpe tokenizer, int rows)
    {
        var vocabulary = tokenizer.Vocabulary;
        var merges = new List<string>();
        for (var id = 0; id < vocabulary.Size; id++)
        {
            var spelling = vocabulary.Spelling(id);
            for (var cut = 1; IsText(vocabulary, id) && cut < spelling.Length; cut++)
            {
                if (vocabulary.TryText(spelling.AsSpan(0, cut), out var left)
                    && vocabulary.TryText(spelling.AsSpan(cut), out var right))
                {
                    merges.Add(Pair(vocabulary, left, right));
                }
            }
        }

        return
        [
            ("tokenizer.ggml.model", "gpt2"),
            (GgufWords.Key, GgufWords.Of([WordSplitter.Llama3])!.Name),
            .. Tokens(vocabulary, rows, ByteAlphabet.Print, []),
            ("tokenizer.ggml.merges", merges.ToArray()),
        ];
    }

    /// <summary>Spellings and types, padding rows included.</summary>
    /// <param name="whole">Pieces that are found as they stand.</param>
    private static IEnumerable<(string, object)> Tokens(
        Vocabulary vocabulary, int rows, Func<string, string> print, HashSet<int> whole)
    {
        string Spelling(int id) => id >= vocabulary.Size || vocabulary.Kind(id) == TokenKind.Gap ? $"[PAD {id}]"
            : IsText(vocabulary, id) ? print(vocabulary.Spelling(id)) : vocabulary.Spelling(id);
        int Type(int id) => id >= vocabulary.Size ? GgufTokenTypes.Unused
            : whole.Contains(id) ? GgufTokenTypes.UserDefined : GgufTokenTypes.Of(vocabulary.Kind(id));
        yield return ("tokenizer.ggml.tokens", Enumerable.Range(0, rows).Select(Spelling).ToArray());
        yield return ("tokenizer.ggml.token_type", Enumerable.Range(0, rows).Select(Type).ToArray());
    }

    private static IEnumerable<(string, object)> Ends(ITokenizer tokenizer, ModelTokens model, List<string> notes)
    {
        var vocabulary = ((VocabularyTokenizer)tokenizer).Vocabulary;
        if ((tokenizer.BosId ?? model.Bos) is { } bos)
        {
            yield return ("tokenizer.ggml.bos_token_id", (uint)bos);
        }

        yield return ("tokenizer.ggml.eos_token_id", (uint)tokenizer.EosId);
        if (Enumerable.Range(0, vocabulary.Size).FirstOrDefault(
            id => vocabulary.Kind(id) == TokenKind.Unknown, -1) is var unknown and >= 0)
        {
            yield return ("tokenizer.ggml.unknown_token_id", (uint)unknown);
        }

        if (model.Pad is { } pad)
        {
            yield return ("tokenizer.ggml.padding_token_id", (uint)pad);
        }

        yield return ("tokenizer.ggml.add_bos_token", tokenizer.BosId is not null);
        yield return ("tokenizer.ggml.add_eos_token", false);
        var others = model.Eos.Where(id => id != tokenizer.EosId && id < vocabulary.Size).ToList();
        if (others.Count > 0)
        {
            notes.Add("GGUF holds one end token, "
                + $"{vocabulary.Spelling(tokenizer.EosId)}; give "
                + $"{string.Join(", ", others.Select(vocabulary.Spelling))} to the runtime as stop texts where it "
                + "does not know them.");
        }
    }

    /// <summary>Added tokens that are found in texts, as llama.cpp finds user-defined ones.</summary>
    private static void CheckAdded(VocabularyTokenizer tokenizer, List<string> notes)
    {
        var found = Enumerable.Range(0, tokenizer.VocabularySize)
            .Where(id => tokenizer.Vocabulary.Kind(id) == TokenKind.Added).ToList();
        var odd = found.FirstOrDefault(
            id => tokenizer.Added(id) is { } token && (token.StripsLeft || token.StripsRight || token.SingleWord), -1);
        var spelling = odd < 0 ? "" : UnicodeText.Shown(tokenizer.Vocabulary.Spelling(odd));
        Refuse(odd >= 0, $"has the added token \"{spelling}\" with lstrip, rstrip or single_word");
        if (found.Count > 0)
        {
            var first = found.Take(3).Select(id => UnicodeText.Shown(tokenizer.Vocabulary.Spelling(id)));
            notes.Add($"{found.Count} added tokens are found in texts, by llama.cpp as here: {string.Join(", ", first)}"
                + $"{(found.Count > 3 ? ", …" : "")}.");
        }
    }

    private static string Pair(Vocabulary vocabulary, int left, int right) =>
        $"{ByteAlphabet.Print(vocabulary.Spelling(left))} {ByteAlphabet.Print(vocabulary.Spelling(right))}";

    private static bool IsText(Vocabulary vocabulary, int id) =>
        id < vocabulary.Size && vocabulary.Kind(id) == TokenKind.Text;

    private static void Refuse(bool cannot, string what)
    {
        if (cannot)
        {
            throw SafeLlamaException.InvalidData(
                $"The tokenizer {what}, which GGUF cannot say: llama.cpp would give other ids. Write the file without "
                + "a tokenizer, or use another runtime.");
        }
    }
}
