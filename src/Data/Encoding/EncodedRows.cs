namespace SafeLlama.Data;

/// <summary>Rows that were encoded before, by reference, for encoders of one tokenizer, template and options.</summary>
public sealed class EncodedRows
{
    private readonly Dictionary<TrainingExample, EncodedExample> _known = new(ReferenceEqualityComparer.Instance);

    /// <summary>The row as it was encoded before, or as it is encoded now.</summary>
    public EncodedExample Get(TrainingExample row, Func<TrainingExample, EncodedExample> encode) =>
        _known.TryGetValue(row, out var known) ? known : _known[row] = encode(row);
}
