using System.Runtime.InteropServices;
using SafeLlama.Common;

namespace SafeLlama.Benchmarks;

/// <summary>A user's library of kernels: the table of functions that peers/own/safellama_ops.h describes.</summary>
internal sealed unsafe class OwnKernels : IDisposable
{
    /// <summary>The symbol that is looked up.</summary>
    private const string Symbol = "safellama_ops";

    private readonly nint _library;
    private readonly Functions* _functions;

    /// <param name="file">A shared library.</param>
    /// <exception cref="SafeLlamaException">It cannot be loaded, or has no table.</exception>
    public OwnKernels(string file)
    {
        var path = Path.GetFullPath(file);
        if (!File.Exists(path))
        {
            throw SafeLlamaException.InvalidData($"{file}: is not there, expected a shared library.");
        }

        if (!NativeLibrary.TryLoad(path, out _library))
        {
            throw SafeLlamaException.InvalidData($"{file}: cannot be loaded as a library of this system.");
        }

        _functions = NativeLibrary.TryGetExport(_library, Symbol, out var symbol)
            ? ((delegate* unmanaged[Cdecl]<Functions*>)symbol)()
            : throw SafeLlamaException.InvalidData(
                $"{file}: exports no function {Symbol}; benchmarks/peers/own/safellama_ops.h declares it.");
        if (_functions is null)
        {
            throw SafeLlamaException.InvalidData($"{file}: {Symbol}() returned NULL, expected a table.");
        }
    }

    public bool HasLinearForward => _functions->LinearForward is not null;

    public bool HasLinearBackwardInput => _functions->LinearBackwardInput is not null;

    public bool HasRmsNormForward => _functions->RmsNormForward is not null;

    public bool HasSwiGluForward => _functions->SwiGluForward is not null;

    public void LinearForward(nint x, nint w, nint y, ReadOnlySpan<int> sizes) =>
        _functions->LinearForward((float*)x, (float*)w, (float*)y, sizes[0], sizes[1], sizes[2]);

    public void LinearBackwardInput(nint dy, nint w, nint dx, ReadOnlySpan<int> sizes) =>
        _functions->LinearBackwardInput((float*)dy, (float*)w, (float*)dx, sizes[0], sizes[1], sizes[2]);

    public void RmsNormForward(nint x, nint weight, float epsilon, nint y, ReadOnlySpan<int> sizes) =>
        _functions->RmsNormForward((float*)x, (float*)weight, epsilon, (float*)y, sizes[0], sizes[1]);

    public void SwiGluForward(nint gate, nint up, nint y, ReadOnlySpan<int> sizes) =>
        _functions->SwiGluForward((float*)gate, (float*)up, (float*)y, sizes[0], sizes[1]);

    public void Dispose() => NativeLibrary.Free(_library);

    /// <summary>The C structure, field by field.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct Functions
    {
        public delegate* unmanaged[Cdecl]<float*, float*, float*, int, int, int, void> LinearForward;
        public delegate* unmanaged[Cdecl]<float*, float*, float*, int, int, int, void> LinearBackwardInput;
        public delegate* unmanaged[Cdecl]<float*, float*, float, float*, int, int, void> RmsNormForward;
        public delegate* unmanaged[Cdecl]<float*, float*, float*, int, int, void> SwiGluForward;
    }
}
