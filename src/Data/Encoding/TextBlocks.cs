namespace SafeLlama.Data;

/// <summary>Running text divided into blocks of equal length; every token is learned.</summary>
/// <remarks>
/// Documents are joined end to end, each between a beginning and an end token, and the stream is cut wherever a block
/// is full. The last target of a block is the first token of the next, so no token but the very first goes unlearned.
/// </remarks>
public static class TextBlocks
{
    /// <param name="tokenizer">Gives the tokens.</param>
    /// <param name="documents">
    /// Texts in the order they are joined; other forms of row are joined as question and answer.
    /// </param>
    /// <param name="maxLength">Tokens in a block; the last block holds what is left.</param>
    public static IReadOnlyList<TokenizedExample> Cut(
        ITokenizer tokenizer, IReadOnlyList<TrainingExample> documents, int maxLength)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(maxLength, 2);
        var stream = new List<int>();
        var starts = new List<int>(documents.Count);
        foreach (var row in documents)
        {
            starts.Add(stream.Count);
            stream.AddRange(SegmentEncoder.Ids(tokenizer,
                [PromptSegment.Begin, PromptSegment.Answer(TextOf(row)), PromptSegment.End]));
        }

        var blocks = new List<TokenizedExample>();
        for (var start = 0; start + 1 < stream.Count; start += maxLength)
        {
            var length = Math.Min(maxLength, stream.Count - start);
            var found = starts.BinarySearch(start);
            var document = documents[found < 0 ? ~found - 1 : found];
            var targets = new int[length];
            for (var i = 0; i < length; i++)
            {
                targets[i] = start + i + 1 < stream.Count ? stream[start + i + 1] : TokenizedExample.NoTarget;
            }

            blocks.Add(new TokenizedExample(
                $"block {blocks.Count + 1} from {document.Id}",
                document.Source,
                [.. stream.GetRange(start, length)],
                targets,
                length));
        }

        return blocks;
    }

    private static string TextOf(TrainingExample row) =>
        row is TextExample text ? text.Text
        : row.Answer.Length == 0 ? row.Question
        : row.Question + "\n\n" + row.Answer;
}
