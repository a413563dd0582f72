using System.Runtime.InteropServices;
using SafeLlama.Kernels;

namespace SafeLlama.Benchmarks;

/// <summary>One op, ours and a user's, on equal inputs.</summary>
internal sealed unsafe class AgainstCase : IDisposable
{
    /// <summary>Written behind the user's output, to see whether a kernel writes beyond it.</summary>
    private const float Guard = 12345.5f;

    private const int GuardLength = 64;

    private readonly Arena _arena;
    private readonly Tensor _first;
    private readonly Tensor _second;
    private readonly Tensor _output;
    private readonly float* _ownFirst;
    private readonly float* _ownSecond;
    private readonly float* _ownOutput;
    private readonly Action _ours;

    public AgainstCase(
        string name, Work work, IBackend backend, (Shape First, Shape Second, Shape Output) shapes, Call ours,
        OwnCall theirs)
    {
        (Name, Work) = (name, work);
        _arena = new Arena(backend, name);
        (_first, _second, _output) =
            (_arena.Take(shapes.First, "first"), _arena.Take(shapes.Second, "second"), _arena.Take(shapes.Output, "y"));
        _arena.Commit();
        OpBenchmark.Draw(_first);
        OpBenchmark.Draw(_second);
        _ownFirst = Copy(_first);
        _ownSecond = Copy(_second);
        _ownOutput = Take(_output.Shape.Count + GuardLength);
        new Span<float>(_ownOutput, (int)_output.Shape.Count + GuardLength).Fill(Guard);
        _ours = () => ours(_first, _second, _output);
        Theirs = () => theirs((nint)_ownFirst, (nint)_ownSecond, (nint)_ownOutput);
    }

    /// <summary>Our op.</summary>
    public delegate void Call(Tensor first, Tensor second, Tensor output);

    /// <summary>The user's kernel.</summary>
    public delegate void OwnCall(nint first, nint second, nint output);

    public string Name { get; }

    public Work Work { get; }

    public Action Ours => _ours;

    public Action Theirs { get; }

    /// <summary>What the user's kernel did wrong with these inputs; null where nothing.</summary>
    /// <param name="tolerance">The largest difference, as a share of the largest value.</param>
    public string? Fault(double tolerance)
    {
        _ours();
        Theirs();
        var found = new ReadOnlySpan<float>(_ownOutput, (int)_output.Shape.Count);
        Error = HealthCheck.Error(Array.ConvertAll(found.ToArray(), x => (double)x), _output.ReadDoubles());
        return !(Error <= tolerance) ? $"differs from ours by {Error:G3}, expected at most {tolerance:G3}"
            : new ReadOnlySpan<float>(_ownOutput + _output.Shape.Count, GuardLength).ContainsAnyExcept(Guard)
                ? "writes behind the end of its output"
            : !Same(_ownFirst, _first) || !Same(_ownSecond, _second) ? "changes its inputs"
            : null;
    }

    /// <summary>As <see cref="Fault"/> last saw it.</summary>
    public double Error { get; private set; }

    public void Dispose()
    {
        NativeMemory.AlignedFree(_ownFirst);
        NativeMemory.AlignedFree(_ownSecond);
        NativeMemory.AlignedFree(_ownOutput);
        _arena.Dispose();
    }

    private static float* Take(long count) => (float*)NativeMemory.AlignedAlloc((nuint)count * sizeof(float), 64);

    private static float* Copy(Tensor tensor)
    {
        var copy = Take(tensor.Shape.Count);
        tensor.ReadFloats().CopyTo(new Span<float>(copy, (int)tensor.Shape.Count));
        return copy;
    }

    private static bool Same(float* own, Tensor tensor) =>
        new ReadOnlySpan<float>(own, (int)tensor.Shape.Count).SequenceEqual(tensor.ReadFloats());
}
