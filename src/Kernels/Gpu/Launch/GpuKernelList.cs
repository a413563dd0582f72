using System.Reflection;

namespace SafeLlama.Kernels;

/// <summary>Every kernel there is, found by reflection: none can be launched that is not in this list.</summary>
internal static class GpuKernelList
{
    private const BindingFlags Static = BindingFlags.Static | BindingFlags.NonPublic | BindingFlags.Public;

    /// <summary>The kernel methods, those with type parameters still open.</summary>
    public static IEnumerable<MethodInfo> Open => typeof(GpuKernelList).Assembly.GetTypes()
        .SelectMany(type => type.GetMethods(Static))
        .Where(IsKernel);

    /// <summary>A kernel's name with its bindings: <c>RmsNormGpu.ForwardKernel (Float32, BFloat16)</c>.</summary>
    public static string NameOf(MethodInfo kernel)
    {
        var bound = kernel.IsGenericMethod
            ? kernel.GetGenericArguments().Select(type => type.Name.Replace("Gpu", ""))
            : [];
        return $"{kernel.DeclaringType!.Name}.{kernel.Name} ({string.Join(", ", bound)})";
    }

    /// <summary>The kernel methods, with every binding of their type parameters that could be asked for.</summary>
    public static IEnumerable<MethodInfo> Closed => Open.SelectMany(Close);

    public static MethodInfo Find(Type owner, string name) =>
        owner.GetMethod(name, Static) is { } method && IsKernel(method)
            ? method
            : throw new ArgumentException($"{owner.Name} has no static method '{name}' whose name ends in Kernel.");

    /// <summary>Threads in a group, where a kernel is written for a number of them.</summary>
    public static int? ThreadsOf(MethodInfo kernel) => kernel.GetCustomAttribute<GroupOfAttribute>()?.Threads;

    /// <summary>How a format is stored, as kernels are bound to it; null where they cannot read it.</summary>
    public static GpuForm? FormOf(WeightFormat format) => format switch
    {
        { Type: DType.Float32 } => GpuForm.Float32,
        { Type: DType.BFloat16 } => GpuForm.BFloat16,
        { Type: DType.Float16 } => GpuForm.Float16,
        Int8Format when format.BlockSize % 4 == 0 => GpuForm.Int8,
        Int8Codes => GpuForm.Int8Codes,
        { Code: BlockCode.Nf4 } => GpuForm.Nf4,
        { Code: BlockCode.Q8 } => GpuForm.Q8,
        { Code: BlockCode.Q4 } => GpuForm.Q4,
        { Code: BlockCode.Q4K } => GpuForm.Q4K,
        { Code: BlockCode.Q6K } => GpuForm.Q6K,
        _ => null,
    };

    /// <summary>The struct that stands for a stored form inside kernels.</summary>
    public static Type Stored(GpuForm form) => form switch
    {
        GpuForm.Float32 => typeof(GpuFloat32),
        GpuForm.BFloat16 => typeof(GpuBFloat16),
        GpuForm.Float16 => typeof(GpuFloat16),
        GpuForm.Nf4 => typeof(GpuNf4),
        GpuForm.Int8 => typeof(GpuInt8),
        GpuForm.Int8Codes => typeof(GpuInt8Codes),
        GpuForm.Q8 => typeof(GpuQ8),
        GpuForm.Q4 => typeof(GpuQ4),
        GpuForm.Q4K => typeof(GpuQ4K),
        GpuForm.Q6K => typeof(GpuQ6K),
        _ => throw new ArgumentException("A kernel's type parameter belongs to a tensor that is absent."),
    };

    /// <summary>The same of a tensor.</summary>
    /// <exception cref="ArgumentException">No kernel reads what it stores.</exception>
    public static GpuForm FormOf(Tensor tensor) => FormOf(tensor.Format) ?? throw new ArgumentException(
        $"{(tensor.Type == DType.Blocks ? tensor.Format.Name : tensor.Type)} is not computed with on a device.");

    private static bool IsKernel(MethodInfo method) =>
        method.Name.EndsWith("Kernel", StringComparison.Ordinal) && method.ReturnType == typeof(void);

    private static IEnumerable<MethodInfo> Close(MethodInfo open)
    {
        if (!open.IsGenericMethodDefinition)
        {
            return [open];
        }

        IEnumerable<Type[]> bindings = [[]];
        foreach (var parameter in open.GetGenericArguments())
        {
            var choices = Choices(parameter);
            bindings = bindings.SelectMany(_ => choices, (bound, choice) => bound.Append(choice).ToArray());
        }

        return bindings.Select(types => open.MakeGenericMethod(types));
    }

    /// <summary>Every struct that the parameter's constraint allows.</summary>
    private static Type[] Choices(Type parameter)
    {
        var constraint = parameter.GetGenericParameterConstraints().Single(c => c.IsInterface)
            .GetGenericTypeDefinition();
        return [.. typeof(GpuKernelList).Assembly.GetTypes().Where(type => type.IsValueType && type.GetInterfaces().Any(
            i => i.IsGenericType && i.GetGenericTypeDefinition() == constraint && i.GetGenericArguments()[0] == type))];
    }
}

/// <summary>The stored forms that kernels are bound to.</summary>
internal enum GpuForm : byte
{
    None,
    Float32,
    BFloat16,
    Float16,
    Nf4,
    Int8,
    Int8Codes,
    Q8,
    Q4,
    Q4K,
    Q6K,
}

/// <summary>A kernel that runs in groups of this many threads, whatever the device's own choice.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class GroupOfAttribute(int threads) : Attribute
{
    public int Threads => threads;
}
