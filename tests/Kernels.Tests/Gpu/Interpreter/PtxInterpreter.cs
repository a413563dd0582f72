using System.Reflection;
using System.Runtime.InteropServices;
using ILGPU;
using ILGPU.Runtime.Cuda;

namespace SafeLlama.Kernels.Tests;

/// <summary>A GPU made of <see cref="PtxMachine"/>: every kernel that is launched runs as its PTX.</summary>
internal sealed class PtxInterpreter : IGpuInterpreter, IDisposable
{
    private static readonly Dictionary<MethodInfo, string> Texts = [];

    private readonly PtxCompiler _compiler = new(CudaArchitecture.SM_80);
    private readonly PtxHostMemory _memory = new();
    private long _launches;

    /// <summary>The kernels that have run.</summary>
    public HashSet<MethodInfo> Ran { get; } = [];

    public int BankConflicts { get; private set; }

    /// <summary>Changes a kernel's text before it runs: what a test must notice.</summary>
    public Func<string, string>? Spoil { get; init; }

    /// <summary>The one kernel that is changed, by its method's name; null changes all.</summary>
    public string? Spoiled { get; init; }

    public void Allocated(nint address, long byteCount) => _memory.Allocated(address, byteCount);

    public void Run(MethodInfo kernel, Index2D groups, int groupSize, int sharedBytes, object[] arguments)
    {
        Ran.Add(kernel);
        var text = Spoil is not null && kernel.Name == (Spoiled ?? kernel.Name) ? Spoil(Text(kernel)) : Text(kernel);
        BankConflicts += PtxMachine.Run(
            text, _memory, (groups.X, groups.Y), groupSize, sharedBytes,
            seed: _launches++,
            [.. arguments.Select(argument => Bytes(argument).ToArray())]);
    }

    public void Dispose() => _compiler.Dispose();

    private string Text(MethodInfo kernel)
    {
        lock (Texts)
        {
            return Texts.TryGetValue(kernel, out var text) ? text : Texts[kernel] = _compiler.Compile(kernel);
        }
    }

    /// <summary>
    /// A parameter as the kernel reads it: fields in order, each where its size allows; a view is an address and a
    /// count.
    /// </summary>
    private static List<byte> Bytes(object value)
    {
        if (value is IArrayView view)
        {
            return [.. PtxArguments.Number((long)view.Buffer.NativePtr), .. PtxArguments.Number(view.Length)];
        }

        if (value.GetType().IsEnum)
        {
            return [.. PtxArguments.Number((int)value)];
        }

        if (value.GetType().IsPrimitive)
        {
            return [.. value switch
            {
                int number => PtxArguments.Number(number),
                uint number => PtxArguments.Number(number),
                long number => PtxArguments.Number(number),
                float number => PtxArguments.Number(number),
                double number => PtxArguments.Number(number),
                _ => throw new NotSupportedException($"a parameter of type {value.GetType().Name}"),
            }];
        }

        var all = new List<byte>();
        var widest = 1;
        foreach (var field in Fields(value.GetType()))
        {
            var bytes = Bytes(field.GetValue(value)!);
            var alignment = Alignment(field.FieldType);
            widest = Math.Max(widest, alignment);
            Pad(all, alignment);
            all.AddRange(bytes);
        }

        Pad(all, widest);
        return all;
    }

    private static int Alignment(Type type) =>
        typeof(IArrayView).IsAssignableFrom(type) ? 8
        : type.IsEnum ? 4
        : type.IsPrimitive ? Marshal.SizeOf(type)
        : Fields(type).Max(field => Alignment(field.FieldType));

    private static IEnumerable<FieldInfo> Fields(Type type) =>
        type.GetFields(BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic)
            .OrderBy(field => field.MetadataToken);

    private static void Pad(List<byte> bytes, int alignment)
    {
        while (bytes.Count % alignment != 0)
        {
            bytes.Add(0);
        }
    }
}
