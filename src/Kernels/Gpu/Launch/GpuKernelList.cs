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

    /// <summary>The struct that stands for a stored type inside kernels.</summary>
    public static Type Stored(DType type) => type switch
    {
        DType.Float32 => typeof(GpuFloat32),
        DType.BFloat16 => typeof(GpuBFloat16),
        DType.Float16 => typeof(GpuFloat16),
        _ => throw new ArgumentException($"{type} is not computed with on a device."),
    };

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

/// <summary>A kernel that runs in groups of this many threads, whatever the device's own choice.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class GroupOfAttribute(int threads) : Attribute
{
    public int Threads => threads;
}
