using SafeLlama.Common;

namespace SafeLlama.Data;

/// <summary>Divides a sequence of examples into optimizer steps, and each step into micro-batches.</summary>
public static class BatchPacker
{
    /// <summary>
    /// For each optimizer step its micro-batches; the last step, and the last micro-batch of each, may be smaller.
    /// </summary>
    /// <param name="examples">The examples in the order they are learned.</param>
    /// <param name="batchSize">Examples in a step.</param>
    /// <param name="microBatch">Examples in a micro-batch; divides <paramref name="batchSize"/>.</param>
    /// <exception cref="SafeLlamaException">
    /// A size is not positive, or the micro-batch does not divide the batch.
    /// </exception>
    public static IEnumerable<IReadOnlyList<PackedBatch>> MicroBatches(
        IEnumerable<TokenizedExample> examples, int batchSize, int microBatch)
    {
        CheckSizes(batchSize, microBatch);
        return examples.Chunk(batchSize).Select(step => Step(step, microBatch));
    }

    /// <summary>The micro-batches of one step.</summary>
    public static IReadOnlyList<PackedBatch> Step(IReadOnlyList<TokenizedExample> examples, int microBatch) =>
        [.. examples.Chunk(microBatch).Select(PackedBatch.Of)];

    /// <exception cref="SafeLlamaException">
    /// A size is not positive, or the micro-batch does not divide the batch.
    /// </exception>
    public static void CheckSizes(int batchSize, int microBatch)
    {
        if (batchSize < 1 || microBatch < 1)
        {
            throw SafeLlamaException.Usage(
                $"`BatchSize` {batchSize} and `MicroBatch` {microBatch} must be at least 1.");
        }

        if (batchSize % microBatch != 0)
        {
            throw SafeLlamaException.Usage(
                $"`MicroBatch` {microBatch} does not divide `BatchSize` {batchSize}; an effective batch is made of "
                + "equal micro-batches.");
        }
    }
}
