using System.Runtime.CompilerServices;

namespace SafeLlama.Kernels;

/// <summary>Checks the tensors of ops and words all their errors alike.</summary>
/// <remarks>
/// The op's name is the name of the file that calls; the tensor's role is the expression it is called on.
/// </remarks>
public static class TensorChecks
{
    /// <exception cref="ArgumentException">
    /// The shape differs: names op, role, tensor, what was found and expected.
    /// </exception>
    public static void RequireShape(
        this Tensor tensor,
        Shape expected,
        string because,
        [CallerArgumentExpression(nameof(tensor))] string role = "",
        [CallerFilePath] string op = "")
    {
        if (tensor.Shape != expected)
        {
            throw new ArgumentException(
                $"{OpName(op)}: {role} ('{tensor.Name}') has shape {tensor.Shape}, expected {expected}: {because}.");
        }
    }

    /// <exception cref="ArgumentException">The matrix form differs: [B, T, D] passes for [B·T, D].</exception>
    public static void RequireMatrix(
        this Tensor tensor,
        int rows,
        int columns,
        string because,
        [CallerArgumentExpression(nameof(tensor))] string role = "",
        [CallerFilePath] string op = "")
    {
        if (tensor.Shape.AsMatrix() != (rows, columns))
        {
            throw new ArgumentException(
                $"{OpName(op)}: {role} ('{tensor.Name}') has shape {tensor.Shape}, expected [{rows}, {columns}]: "
                + $"{because}.");
        }
    }

    /// <exception cref="ArgumentException">The stored type differs.</exception>
    public static void RequireType(
        this Tensor tensor,
        DType expected,
        string because,
        [CallerArgumentExpression(nameof(tensor))] string role = "",
        [CallerFilePath] string op = "")
    {
        if (tensor.Type != expected)
        {
            throw new ArgumentException(
                $"{OpName(op)}: {role} ('{tensor.Name}') stores {tensor.Type}, expected {expected}: {because}.");
        }
    }

    /// <summary>
    /// Requires that each number of a host Int32 tensor is a valid row, since pointers do not check it.
    /// </summary>
    /// <exception cref="ArgumentException">
    /// One does not: names op, role, tensor, place, what was found and expected.
    /// </exception>
    internal static void RequireIndices(
        this Tensor tensor,
        int lowest,
        int count,
        string because,
        [CallerArgumentExpression(nameof(tensor))] string role = "",
        [CallerFilePath] string op = "")
    {
        var numbers = tensor.AsElements<int>().AsSpan();
        for (var i = 0; i < numbers.Length; i++)
        {
            if (numbers[i] < lowest || numbers[i] >= count)
            {
                throw new ArgumentException(
                    $"{OpName(op).Replace("Cpu", "", StringComparison.Ordinal)}: {role}[{i}] ('{tensor.Name}') is "
                    + $"{numbers[i]}, expected {lowest} … {count - 1}: {because}.");
            }
        }
    }

    private static string OpName(string path) => path[(path.LastIndexOfAny(['/', '\\']) + 1)..].Split('.')[0];
}
