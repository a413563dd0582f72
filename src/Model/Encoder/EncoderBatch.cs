using SafeLlama.Kernels;

namespace SafeLlama.Model;

/// <summary>Sequences one after another, without padding; each row attends to its whole sequence.</summary>
public sealed class EncoderBatch
{
    internal EncoderBatch(Arena arena, int rows, int sequences)
    {
        Tokens = new TokenBatch(arena, rows);
        FirstRows = arena.Take(new(sequences), DType.Int32, "first_rows");
    }

    /// <summary>Token ids and the rows that each one sees; all Int32 of [N].</summary>
    public TokenBatch Tokens { get; }

    /// <summary>N.</summary>
    public int Rows => Tokens.Rows;

    /// <summary>[S] Int32: the row of each sequence's first token, [CLS].</summary>
    public Tensor FirstRows { get; }

    /// <summary>S.</summary>
    public int Sequences => FirstRows.Columns;

    /// <summary>Copies sequences to the device.</summary>
    /// <param name="sequences">Token ids of each, N together.</param>
    internal void Upload(IReadOnlyList<int[]> sequences)
    {
        var (tokens, positions) = (new int[Rows], new int[Rows]);
        var (first, last, starts) = (new int[Rows], new int[Rows], new int[sequences.Count]);
        var row = 0;
        for (var s = 0; s < sequences.Count; s++)
        {
            starts[s] = row;
            for (var i = 0; i < sequences[s].Length; i++, row++)
            {
                (tokens[row], positions[row]) = (sequences[s][i], i);
                (first[row], last[row]) = (starts[s], starts[s] + sequences[s].Length - 1);
            }
        }

        Tokens.UploadCached(tokens, positions, first, last);
        FirstRows.Write(starts);
    }
}
