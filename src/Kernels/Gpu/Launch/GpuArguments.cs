using System.Linq.Expressions;
using System.Reflection;
using System.Runtime.CompilerServices;
using ILGPU;

namespace SafeLlama.Kernels;

/// <summary>Converts tensors to kernel arguments by the type of the parameter.</summary>
internal static class GpuArguments
{
    private static readonly Dictionary<Type, string> Vectors = new()
    {
        [typeof(GpuFloats)] = nameof(Floats),
        [typeof(GpuInts)] = nameof(Ints),
        [typeof(GpuDoubles)] = nameof(Doubles),
        [typeof(GpuWeights)] = nameof(Weights),
    };

    /// <summary>The argument as an expression of the parameter's type.</summary>
    /// <param name="argument">
    /// A tensor, null for one that is absent, an array for <see cref="IGpuArguments"/>, or a value passed as it is.
    /// </param>
    public static Expression Bind(GpuDevice device, Type parameter, Expression argument)
    {
        if (parameter.IsGenericType && parameter.GetGenericTypeDefinition() is { } open
            && (open == typeof(GpuMatrix<>) || open == typeof(GpuResult<>)))
        {
            var name = open == typeof(GpuMatrix<>) ? nameof(Matrix) : nameof(Result);
            return Call(name, parameter.GetGenericArguments(), argument);
        }

        if (typeof(IGpuArguments).IsAssignableFrom(parameter))
        {
            var group = Expression.Convert(argument, typeof(object[]));
            var constructor = parameter.GetConstructors().Single();
            return Expression.New(constructor, constructor.GetParameters().Select((field, i) =>
                Bind(device, field.ParameterType, Expression.ArrayIndex(group, Expression.Constant(i)))));
        }

        return Vectors.TryGetValue(parameter, out var vector)
            ? Call(vector, [], Expression.Constant(device), argument)
            : Expression.Unbox(argument, parameter);
    }

    private static GpuMatrix<T> Matrix<T>(object tensor)
        where T : unmanaged, IGpuStored<T>
    {
        var x = StoredAs<T>(tensor);
        var unit = Unsafe.SizeOf<T>();
        return new(Memory(x).As<T>(), x.ByteOffset / unit, x.RowBytes / unit);
    }

    private static GpuResult<T> Result<T>(object tensor)
        where T : unmanaged, IGpuActivation<T>
    {
        var x = StoredAs<T>(tensor);
        return new(Memory(x).As<T>(), Offset(x), x.RowStride);
    }

    private static GpuFloats Floats(GpuDevice device, object? tensor) =>
        new(Exactly<float>(device, tensor, DType.Float32), Offset(tensor));

    private static GpuInts Ints(GpuDevice device, object? tensor) =>
        new(Exactly<int>(device, tensor, DType.Int32), Offset(tensor));

    private static GpuDoubles Doubles(GpuDevice device, object? tensor) =>
        new(Exactly<double>(device, tensor, DType.Float64), Offset(tensor));

    private static GpuWeights Weights(GpuDevice device, object? tensor)
    {
        var memory = tensor is null ? device.Nothing : Memory((Tensor)tensor);
        return new(
            memory.As<float>(), memory.As<ushort>(), Offset(tensor), (int)((tensor as Tensor)?.Type ?? DType.Float32));
    }

    private static Tensor StoredAs<T>(object tensor) =>
        tensor is Tensor x && GpuKernelList.Stored(GpuKernelList.FormOf(x)) == typeof(T)
            ? x
            : throw new ArgumentException($"{tensor ?? "null"}: expected a tensor of {typeof(T).Name} on this device.");

    private static ArrayView<T> Exactly<T>(GpuDevice device, object? tensor, DType type)
        where T : unmanaged => tensor is not Tensor x ? device.Nothing.As<T>()
            : x.Type == type ? Memory(x).As<T>()
            : throw new ArgumentException($"Tensor '{x.Name}' stores {x.Type}, expected {type} on this device.");

    public static GpuMemory Memory(Tensor tensor) => tensor.Storage as GpuMemory
        ?? throw new ArgumentException($"Tensor '{tensor.Name}' is not in device memory.");

    private static long Offset(object? tensor) => tensor is Tensor x ? x.ByteOffset / x.Type.Size() : 0;

    private static MethodCallExpression Call(string name, Type[] types, params Expression[] arguments)
    {
        var method = typeof(GpuArguments).GetMethod(name, BindingFlags.Static | BindingFlags.NonPublic)!;
        return Expression.Call(types.Length == 0 ? method : method.MakeGenericMethod(types), arguments);
    }
}

/// <summary>Arguments of a kernel that belong together. Its constructor's parameters are bound one by one.</summary>
internal interface IGpuArguments;
