namespace SafeLlama.Data;

/// <summary>The <c>model</c> and the <c>added_tokens</c> of <c>tokenizer.json</c>.</summary>
/// <param name="Model">Vocabulary and merges.</param>
/// <param name="Added">The tokens added after training.</param>
/// <param name="Notes">What a user should know, a line each.</param>
internal sealed record TokenizerJsonModel(
    BpeModel Model, IReadOnlyList<AddedToken> Added, IReadOnlyList<string> Notes)
{
    /// <exception cref="Common.SafeLlamaException">The file is broken, or another file contradicts it.</exception>
    public static TokenizerJsonModel Read(string file, ConfigField root, TokenNames names, bool isByteLevel)
    {
        var model = root["model"];
        var unknown = model["unk_token"].IsMissing ? null : model["unk_token"].Text();
        var added = TokenizerJsonAdded.Read(file, root, names);
        var builder = new VocabularyBuilder(file);
        foreach (var (spelling, field) in model["vocab"].Fields())
        {
            var id = field.Number();
            var asText = isByteLevel ? ByteAlphabet.Parse(spelling) : spelling;
            if (spelling == unknown)
            {
                builder.Add(id, spelling, TokenKind.Unknown);
            }
            else if (!isByteLevel && ByteTokens.IsByte(spelling))
            {
                builder.Add(id, spelling, TokenKind.Byte);
            }
            else if (added.ByContent.TryGetValue(spelling, out var token))
            {
                builder.Add(id, spelling, token.Kind);
                if (token.Kind == TokenKind.Added && asText is not null)
                {
                    builder.AddToText(asText, id);
                }
            }
            else
            {
                // A spelling that stands for no bytes is never reached from a text.
                builder.Add(id, asText ?? spelling, asText is null ? TokenKind.Added : TokenKind.Text);
            }
        }

        foreach (var token in added.ByContent.Values.OrderBy(token => token.Id))
        {
            builder.Overlay(token.Id, token.Content, token.Kind);
        }

        var vocabulary = builder.Build();
        var (merges, unused) = Merges(model, vocabulary, isByteLevel);
        var bpe = new BpeModel(vocabulary, merges)
        {
            IgnoreMerges = model["ignore_merges"].Flag(false),
            Unknown = unknown is not null && vocabulary.TryMark(unknown, out var unknownId) ? unknownId : null,
            FuseUnknown = model["fuse_unk"].Flag(false),
            ByteFallback = model["byte_fallback"].Flag(false),
            SymbolsAreBytes = isByteLevel,
        };
        return new TokenizerJsonModel(
            bpe, [.. added.ByContent.Values], [.. added.Notes, .. NotesOn(file, vocabulary, unused)]);
    }

    private static IEnumerable<string> NotesOn(string file, Vocabulary vocabulary, IReadOnlyList<string> unused)
    {
        if (vocabulary.Gaps > 0)
        {
            yield return $"{file}: {vocabulary.Gaps} ids below {vocabulary.Size} have no token; "
                + $"they decode to nothing.";
        }

        if (unused.Count > 0)
        {
            yield return $"{file}: {unused.Count} merges make or use a control token and are left out, for no text "
                + $"becomes one: \"{UnicodeText.Shown(unused[0])}\"{(unused.Count > 1 ? ", …" : "")}";
        }
    }

    /// <summary>Pairs as <c>"a b"</c> or <c>["a", "b"]</c>, in the order they were learned.</summary>
    private static (BpeMerges Merges, IReadOnlyList<string> Unused) Merges(
        ConfigField model, Vocabulary vocabulary, bool isByteLevel)
    {
        var (merges, unused, rank) = (new BpeMerges(), new List<string>(), 0);
        foreach (var merge in model["merges"].Items())
        {
            var pair = merge.IsArray ? [.. merge.Items().Select(part => part.Text())] : merge.Text().Split(' ');
            if (pair is not [var first, var second])
            {
                throw NoMerge(merge);
            }

            string[] parts = [first, second, first + second];
            if (parts.Any(part => IsMark(part, vocabulary, isByteLevel)))
            {
                unused.Add($"{first} {second}");
            }
            else if (TryText(parts[0], vocabulary, isByteLevel, out var left)
                && TryText(parts[1], vocabulary, isByteLevel, out var right)
                && TryText(parts[2], vocabulary, isByteLevel, out var joined))
            {
                merges.Set(left, right, rank, joined);
            }
            else
            {
                throw NoMerge(merge);
            }

            rank++;
        }

        return (merges, unused);
    }

    private static Common.SafeLlamaException NoMerge(ConfigField merge) =>
        merge.Wrong("expected two tokens of model.vocab whose union is a third");

    private static bool TryText(string printed, Vocabulary vocabulary, bool isByteLevel, out int id)
    {
        id = -1;
        return (isByteLevel ? ByteAlphabet.Parse(printed) : printed) is { } text && vocabulary.TryText(text, out id);
    }

    private static bool IsMark(string printed, Vocabulary vocabulary, bool isByteLevel) =>
        !TryText(printed, vocabulary, isByteLevel, out _)
        && vocabulary.TryMark(printed, out var id)
        && vocabulary.Kind(id.Value) is TokenKind.Control or TokenKind.Unknown;
}
