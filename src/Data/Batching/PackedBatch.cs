namespace SafeLlama.Data;

/// <summary>Rows one after another, without padding, as one stream of N tokens.</summary>
/// <remarks>
/// Row n attends to the rows from <c>FirstKey[n]</c> to n: one integer expresses both causality and the bounds of a
/// sequence. Positions begin at 0 in each sequence, so packed and separate examples give the same numbers.
/// </remarks>
public sealed class PackedBatch
{
    internal PackedBatch(IReadOnlyList<TokenizedExample> examples)
    {
        var count = examples.Sum(example => example.Length);
        Tokens = new int[count];
        Targets = new int[count];
        Positions = new int[count];
        FirstKey = new int[count];
        var members = new PackedExample[examples.Count];
        var start = 0;
        for (var e = 0; e < examples.Count; e++)
        {
            var example = examples[e];
            example.Tokens.CopyTo(Tokens, start);
            example.Targets.CopyTo(Targets, start);
            for (var (i, sequence, next) = (0, 0, 1); i < example.Length; i++)
            {
                if (next < example.Starts.Count && example.Starts[next] == i)
                {
                    (sequence, next) = (i, next + 1);
                }

                Positions[start + i] = i - sequence;
                FirstKey[start + i] = start + sequence;
            }

            members[e] = new PackedExample(example, start);
            start += example.Length;
        }

        Examples = members;
        TargetCount = examples.Sum(example => example.TargetCount);
        LabelCount = examples.Sum(example => example.LabelCount);
    }

    /// <summary>[N] token ids.</summary>
    public int[] Tokens { get; }

    /// <summary>[N] the id to predict after each token; −1 where nothing is learned.</summary>
    public int[] Targets { get; }

    /// <summary>[N] place within the sequence, from 0.</summary>
    public int[] Positions { get; }

    /// <summary>[N] the first row of the row's own sequence.</summary>
    public int[] FirstKey { get; }

    /// <summary>N, the number of rows.</summary>
    public int Length => Tokens.Length;

    /// <summary>Rows with a target: the divisor of the loss.</summary>
    public int TargetCount { get; }

    /// <summary>Labels before the shift: the divisor of Hugging Face's Trainer.</summary>
    public int LabelCount { get; }

    /// <summary>The examples, in order, so that an error can name the one a row belongs to.</summary>
    public IReadOnlyList<PackedExample> Examples { get; }

    /// <summary>Packs examples in the order given.</summary>
    public static PackedBatch Of(params IReadOnlyList<TokenizedExample> examples) => new(examples);

    /// <summary>The example that row <paramref name="n"/> belongs to.</summary>
    public PackedExample ExampleAt(int n) => Examples.First(example => n < example.Start + example.Length);
}

/// <summary>An example within a packed batch: its rows are <c>Start … Start + Length − 1</c>.</summary>
public sealed record PackedExample(TokenizedExample Example, int Start)
{
    public string Id => Example.Id;

    public RowSource Source => Example.Source;

    public int Length => Example.Length;
}
