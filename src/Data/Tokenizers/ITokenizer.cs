namespace SafeLlama.Data;

/// <summary>
/// Text to token ids and back. Text never becomes a control token; only templates place those, by id.
/// </summary>
public interface ITokenizer
{
    /// <summary>The number of ids, V: every id is in [0, V).</summary>
    int VocabularySize { get; }

    /// <summary>Begins a sequence; null where the model has none.</summary>
    int? BosId { get; }

    /// <summary>Ends a sequence.</summary>
    int EosId { get; }

    /// <summary>A SHA-256 over vocabulary, merges and control tokens, for manifests and caches.</summary>
    string Hash { get; }

    /// <summary>
    /// The ids of <paramref name="text"/>, without BOS or EOS. Control tokens written in the text (<c>&lt;s&gt;</c>,
    /// <c>&lt;|eot_id|&gt;</c>) stay plain text; added tokens that are not special are found.
    /// </summary>
    /// <exception cref="Common.SafeLlamaException">The text needs a byte or character without a token.</exception>
    IReadOnlyList<int> Encode(string text);

    /// <summary>
    /// The ids of a text that stands behind a token placed by id: some tokenizers put a space only before a text that
    /// begins the sequence.
    /// </summary>
    IReadOnlyList<int> EncodeContinuing(string text) => Encode(text);

    /// <summary>Whether white space on either side of a token placed by id belongs to it and is no text.</summary>
    (bool Left, bool Right) StripsSpace(int id) => default;

    /// <summary>What a user should know of the tokenizer's files, a line each.</summary>
    IReadOnlyList<string> Notes => [];

    /// <summary>
    /// The text of <paramref name="ids"/>; control tokens are left out unless <paramref name="keepControl"/>.
    /// </summary>
    string Decode(ReadOnlySpan<int> ids, bool keepControl = false);

    /// <summary>A decoder that gives text as soon as its bytes are complete, for streaming.</summary>
    IIncrementalDecoder StartDecoding();

    /// <summary>
    /// The id of a control token by its spelling, such as <c>&lt;|eot_id|&gt;</c>; null where there is none.
    /// </summary>
    int? ControlId(string token);

    /// <summary>The spellings that <see cref="ControlId"/> knows.</summary>
    IReadOnlyCollection<string> ControlTokens { get; }
}

/// <summary>Takes ids one at a time and gives the text that has become certain.</summary>
public interface IIncrementalDecoder
{
    /// <summary>
    /// The text that <paramref name="id"/> completes; empty while a character's bytes are still open.
    /// </summary>
    string Append(int id);

    /// <summary>What is left at the end: replacement characters for bytes that never became a character.</summary>
    string Finish();
}
