using SafeLlama.Common;

namespace SafeLlama.Data;

/// <summary>The tokenizer of a Hugging Face model folder.</summary>
/// <remarks>
/// <c>tokenizer.json</c> is taken where it is there, for it holds everything; else <c>tokenizer.model</c>, which is
/// SentencePiece or tiktoken by its content. <c>tokenizer_config.json</c> and <c>special_tokens_map.json</c> say which
/// tokens begin and end a sequence.
/// </remarks>
public static class TokenizerLoader
{
    /// <summary>
    /// The tokens LLaMA 3.1 and later add to their 128,000 text tokens, in order; reserved ones follow up to 256.
    /// LLaMA 3.0 has the same ids where it names a token.
    /// </summary>
    private static readonly string[] Llama3Tokens =
    [
        "<|begin_of_text|>", "<|end_of_text|>", "<|reserved_special_token_0|>", "<|reserved_special_token_1|>",
        "<|finetune_right_pad_id|>", "<|step_id|>", "<|start_header_id|>", "<|end_header_id|>", "<|eom_id|>",
        "<|eot_id|>", "<|python_tag|>",
    ];

    /// <summary>The text tokens of LLaMA 4's <c>tokenizer.model</c>.</summary>
    private const int Llama4Tokens = 200_000;

    /// <summary>Reads the tokenizer that lies in <paramref name="folder"/>, or that a GGUF file holds.</summary>
    /// <exception cref="SafeLlamaException">There is none, or a file is broken or not a LLaMA's.</exception>
    public static ITokenizer Load(string folder)
    {
        if (GgufHeader.IsGguf(folder))
        {
            return GgufTokenizer.Load(GgufHeader.Read(folder));
        }

        var json = Path.Combine(folder, "tokenizer.json");
        if (File.Exists(json))
        {
            return TokenizerJson.Load(json, TokenNames.Read(folder));
        }

        var model = Path.Combine(folder, "tokenizer.model");
        if (!File.Exists(model))
        {
            throw SafeLlamaException.InvalidData(Directory.Exists(folder)
                ? $"{folder}: holds neither tokenizer.json nor tokenizer.model; copy the model's tokenizer there."
                : File.Exists(folder)
                    ? $"{folder}: is a file, expected a folder with tokenizer.json or tokenizer.model, or a GGUF file."
                : $"{folder}: no such folder; name the one that holds tokenizer.json or tokenizer.model.");
        }

        var content = ReadAll(model);
        return TiktokenFile.Matches(content)
            ? LoadTiktoken(model, content, folder)
            : LoadSentencePiece(model, content, TokenNames.Read(folder));
    }

    private static SentencePieceBpe LoadSentencePiece(string path, byte[] content, TokenNames names)
    {
        var file = SentencePieceFile.Read(path, content);
        var builder = new VocabularyBuilder(path);
        foreach (var (piece, _, type) in file.Pieces)
        {
            builder.Add(builder.Count, piece, type switch
            {
                SentencePieceFile.PieceType.Byte => TokenKind.Byte,
                SentencePieceFile.PieceType.Unknown => TokenKind.Unknown,
                SentencePieceFile.PieceType.Control => TokenKind.Control,
                _ => TokenKind.Text,
            });
        }

        foreach (var token in names.Added.Values.OrderBy(token => token.Id))
        {
            builder.Overlay(token.Id, token.Content, token.Kind);
        }

        var vocabulary = builder.Build();
        var adds = names.AddsPrefixSpace ?? file.AddsPrefix;
        var form = new SentencePieceForm
        {
            Prefix = adds ? PrefixSpace.Always : PrefixSpace.Never,
            PrefixFirstOnly = adds && !names.IsLegacy,
            StripsPrefix = adds,
            RemovesExtraSpaces = file.RemovesSpaces,
            WholePieces = WholePieces(file),
            UnknownText = file.UnknownText,
        };
        var unknown = file.Pieces.ToList().FindIndex(p => p.Type == SentencePieceFile.PieceType.Unknown);
        var ends = names.Resolve(vocabulary, (Known(file.BosId, vocabulary), Known(file.EosId, vocabulary)));
        var model = new BpeModel(vocabulary, SentencePieceMerges.From(file, vocabulary, path))
        {
            Unknown = unknown < 0 ? null : unknown,
            FuseUnknown = true,
            ByteFallback = vocabulary.HasAllBytes,
        };
        var added = new AddedTokens([.. names.Added.Values], TextNormalizer.None);
        return new SentencePieceBpe(model, form, ends, added) { Notes = Notes(path, names, vocabulary) };
    }

    /// <summary>The pieces found as they stand, the longest first.</summary>
    private static (string Piece, int Id)[] WholePieces(SentencePieceFile file) =>
    [
        .. file.Pieces.Select((piece, id) => (piece.Piece, Id: id, piece.Type))
            .Where(piece => piece.Type == SentencePieceFile.PieceType.UserDefined)
            .OrderByDescending(piece => piece.Piece.Length).Select(piece => (piece.Piece, piece.Id)),
    ];

    private static string[] Notes(string path, TokenNames names, Vocabulary vocabulary) =>
    [
        .. names.Notes,
        .. vocabulary.Gaps == 0 ? Array.Empty<string>()
            : [$"{path}: {vocabulary.Gaps} ids below {vocabulary.Size} have no token; they decode to nothing."],
    ];

    private static TiktokenBpe LoadTiktoken(string path, byte[] content, string folder)
    {
        var names = TokenNames.Read(folder);
        var tokens = TiktokenFile.Read(path, content);
        if (tokens.Length == Llama4Tokens)
        {
            throw SafeLlamaException.InvalidData(
                $"{path}: is LLaMA 4's tokenizer ({Llama4Tokens} text tokens), which divides words and numbers its "
                + "control tokens in another way and is not supported. Use a LLaMA 1, 2 or 3 model.");
        }

        var builder = new VocabularyBuilder(path);
        foreach (var token in tokens)
        {
            builder.Add(builder.Count, ByteAlphabet.Latin1(token), TokenKind.Text);
        }

        if (names.Added.Count > 0)
        {
            foreach (var token in names.Added.Values.OrderBy(token => token.Id))
            {
                builder.Add(token.Id, token.Content, token.Kind);
            }
        }
        else
        {
            AddLlama3Tokens(builder, folder);
        }

        var vocabulary = builder.Build();
        var added = new AddedTokens([.. names.Added.Values], TextNormalizer.None);
        return new TiktokenBpe(path, content, vocabulary, names.Resolve(vocabulary, (null, null)), added)
        {
            Notes = Notes(path, names, vocabulary),
        };
    }

    /// <summary>
    /// The file holds text tokens alone: the control tokens are LLaMA 3's, as many as the model has rows for.
    /// </summary>
    private static void AddLlama3Tokens(VocabularyBuilder builder, string folder)
    {
        var config = Path.Combine(folder, "config.json");
        var rows = File.Exists(config) ? ModelTokens.Read(config).VocabularySize : null;
        var count = Math.Clamp((rows ?? int.MaxValue) - builder.Count, 0, 256);
        for (var i = 0; i < count; i++)
        {
            var reserved = i - Llama3Tokens.Length + 2;
            builder.Add(
                builder.Count,
                i < Llama3Tokens.Length ? Llama3Tokens[i] : $"<|reserved_special_token_{reserved}|>",
                TokenKind.Control);
        }
    }

    private static int? Known(int id, Vocabulary vocabulary) =>
        id >= 0 && id < vocabulary.Size && vocabulary.Kind(id) == TokenKind.Control ? id : null;

    internal static byte[] ReadAll(string path)
    {
        var content = FileErrors.Reading(path, () => File.ReadAllBytes(path), ExitCode.InvalidData);
        GitPointer.Refuse(path, content);
        return content;
    }
}
