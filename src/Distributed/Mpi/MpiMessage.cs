using System.Runtime.InteropServices;

namespace SafeLlama.Distributed;

/// <summary>A message in memory of its own, which stays where it is until the message is through.</summary>
internal sealed unsafe class MpiMessage : Incoming
{
    private readonly MpiWorld _world;
    private readonly byte* _bytes;
    private readonly int _count;
    private nint _request;
    private bool _isThrough;

    private MpiMessage(MpiWorld world, int count)
    {
        (_world, _count) = (world, count);
        _bytes = (byte*)NativeMemory.Alloc((nuint)Math.Max(1, count));
    }

    public override bool IsReady => _isThrough = _isThrough || _world.Test(ref _request);

    public override ReadOnlySpan<byte> Bytes => new(_bytes, _count);

    public static MpiMessage Send(MpiWorld world, ReadOnlySpan<byte> bytes, int to, Channel channel)
    {
        var message = new MpiMessage(world, bytes.Length);
        bytes.CopyTo(new(message._bytes, bytes.Length));
        message._request = world.Send(message._bytes, bytes.Length, to, channel);
        return message;
    }

    public static MpiMessage Receive(MpiWorld world, int count, int from, Channel channel)
    {
        var message = new MpiMessage(world, count);
        message._request = world.Receive(message._bytes, count, from, channel);
        return message;
    }

    /// <summary>
    /// MPI may still write to the memory of a message that is not through; it stays until the process ends.
    /// </summary>
    ~MpiMessage()
    {
        if (_isThrough)
        {
            NativeMemory.Free(_bytes);
        }
    }
}
