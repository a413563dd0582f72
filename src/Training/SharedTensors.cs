using SafeLlama.Distributed;
using SafeLlama.Kernels;

namespace SafeLlama.Training;

/// <summary>Tensors that rank 0 gives to all.</summary>
internal static class SharedTensors
{
    /// <summary>Afterwards every rank has rank 0's values, to the last bit.</summary>
    /// <param name="tensors">The same on every rank, in the same order.</param>
    public static void Share(this ICommunicator ranks, IEnumerable<Tensor> tensors)
    {
        if (ranks.Size == 1)
        {
            return;
        }

        foreach (var tensor in tensors)
        {
            var bytes = new byte[tensor.ByteCount];
            tensor.Storage.Read(tensor.ByteOffset, bytes);
            ranks.Broadcast(bytes.AsSpan());
            tensor.Storage.Write(tensor.ByteOffset, bytes);
        }
    }
}
